//! Perturbations of several edits.

use crate::synthetic;
use active_learning::data::{FeatureTable, Observation};
use active_learning::model::{Model, Stop};
use active_learning::replay::{Oracle, Replay};
use active_learning::representation::Vocabulary;
use active_learning::sets::amplitude::Amplitudes;
use active_learning::train::Cell;
use jobs::work::learn::{Acquisition, ModelFamily, Objective};
use jobs::{Context, Experiment};

/// Forty edits of two kinds: a pair is worth its own two edits, and two of different kinds add three.
pub(crate) fn screen() -> (Vocabulary, Oracle) {
    let mut features = String::from("gene,kind_0,kind_1,kind_2\n");
    for edit in 0..40 {
        let kind = if edit % 2 == 0 { 1.0 } else { -1.0 };
        features.push_str(&format!("E{edit},{kind},{},{}\n", kind * 0.8, 0.1 * f64::from(edit % 5) - 0.2));
    }
    let mut text = String::from("gene_a,gene_b,gi_score,hit\n");
    for one in 0..40 {
        for other in one + 1..40 {
            let synergy = if one % 2 == other % 2 { 0.0 } else { 3.0 };
            let value = 0.1 * f64::from(one % 7 + other % 7) + synergy;
            text.push_str(&format!("E{one},E{other},{value},{}\n", u8::from(value > 3.6)));
        }
    }
    let features = FeatureTable::read(features.as_bytes()).unwrap();
    (Vocabulary::build(&features, None).unwrap(), Oracle::read(text.as_bytes()).unwrap())
}

pub(crate) fn trained(vocabulary: &Vocabulary, oracle: &Oracle) -> Cell {
    tch::set_num_threads(1);
    let cut: Vec<Observation> = oracle.pool().iter().step_by(7).filter_map(|e| oracle.ask(e)).collect();
    Cell::train(vocabulary, &cut, &synthetic::spec(ModelFamily::BayesianLinear), 1, &Stop::default()).unwrap()
}

fn experiment(key: &str) -> Experiment {
    Experiment { perturbation: key.parse().unwrap(), context: Context("replay".into()) }
}

#[test]
fn what_two_edits_do_together_is_learnt() {
    let (vocabulary, oracle) = screen();
    let cell = trained(&vocabulary, &oracle);
    assert!(matches!(cell.model, Model::Sets(_)));
    let rest: Vec<Experiment> = oracle.pool().iter().skip(3).step_by(7).cloned().collect();
    let said = cell.predict(&vocabulary, &rest, 0, 1).unwrap().predictions;
    let errors: Vec<f64> =
        rest.iter().zip(&said).map(|(e, p)| (oracle.ask(e).unwrap().value - p.mean).abs()).collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    // The additive part alone is wrong by 1.5.
    assert!(mean < 0.3, "{mean}");
    assert!(said.iter().all(|p| p.epistemic_sd > 0.0 && (0.0..=1.0).contains(&p.hit_probability)));
}

#[test]
fn the_order_of_edits_and_of_the_pool_changes_nothing() {
    let (vocabulary, oracle) = screen();
    let cell = trained(&vocabulary, &oracle);
    let of = |keys: &[&str]| {
        let asked: Vec<Experiment> = keys.iter().map(|key| experiment(key)).collect();
        cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions
    };
    let (there, back) = (of(&["E1+E2", "E3+E4+E5", "E6"]), of(&["E6", "E5+E3+E4", "E2+E1"]));
    for (one, other) in there.iter().zip(back.iter().rev()) {
        // Single precision: sums in another order.
        assert!((one.mean - other.mean).abs() < 1e-4, "{one:?} {other:?}");
        assert!((one.hit_probability - other.hit_probability).abs() < 1e-4);
    }
}

#[test]
fn a_cell_of_sets_is_its_bytes() {
    let (vocabulary, oracle) = screen();
    let cell = trained(&vocabulary, &oracle);
    let read = Cell::from_bytes(&cell.to_bytes().unwrap()).unwrap();
    let asked: Vec<Experiment> = oracle.pool().iter().take(50).cloned().collect();
    let (before, after) =
        (cell.predict(&vocabulary, &asked, 2, 5).unwrap(), read.predict(&vocabulary, &asked, 2, 5).unwrap());
    assert_eq!((before.predictions, before.samples), (after.predictions, after.samples));
}

#[test]
fn of_edits_that_nothing_is_known_of_a_pair_is_a_hit_as_often_as_one() {
    let (vocabulary, _) = screen();
    let cell =
        Cell::train(&vocabulary, &[], &synthetic::spec(ModelFamily::BayesianLinear), 1, &Stop::default());
    let asked = ["E1", "E1+E2", "E3+E4+E5"].map(experiment);
    for said in cell.unwrap().predict(&vocabulary, &asked, 0, 1).unwrap().predictions {
        assert!((said.hit_probability - 0.05).abs() < 1e-3, "{said:?}");
    }
}

#[test]
fn pairs_are_replayed_above_random() {
    let (vocabulary, oracle) = screen();
    tch::set_num_threads(1);
    let replay = Replay {
        vocabulary: &vocabulary,
        oracle: &oracle,
        spec: synthetic::spec(ModelFamily::BayesianLinear),
        acquisition: Acquisition::HitProbability,
        diversity: 0.0,
        objective: Objective::TwoSided,
        rounds: 3,
        batch: 20,
        permute_feedback: false,
    };
    let report = replay.run(&[1], |_| {}).unwrap();
    // A quarter are hits: four times as many as random is all there is.
    assert!(report.enrichment_mean > 1.8, "{}", report.enrichment_mean);
}

#[test]
fn draws_are_of_one_function() {
    let (vocabulary, oracle) = screen();
    let cell = trained(&vocabulary, &oracle);
    // Longer than a chunk of the pool: what is asked for at its ends is one experiment.
    let asked: Vec<Experiment> =
        oracle.pool().iter().cycle().take(22 * oracle.pool().len()).cloned().collect();
    let said = cell.predict(&vocabulary, &asked, 400, 3).unwrap();
    let period = oracle.pool().len();
    for draw in &said.samples {
        for row in 0..period {
            // Single precision, products of other sizes.
            assert!((draw[row] - draw[row + 21 * period]).abs() < 1e-4, "{row}");
        }
    }
    for (row, prediction) in said.predictions.iter().take(period).enumerate() {
        let of_row = said.samples.iter().map(|draw| draw[row] - prediction.mean);
        let (sum, square) = of_row.fold((0.0, 0.0), |(sum, square), off| (sum + off, square + off * off));
        let sd = prediction.epistemic_sd;
        // Five standard errors of 400 draws.
        assert!((sum / 400.0).abs() < 5.0 * sd / 20.0, "{row}: {} for sd {sd}", sum / 400.0);
        assert!(
            ((square / 400.0).sqrt() / sd - 1.0).abs() < 5.0 / 28.0,
            "{row}: {} for {sd}",
            (square / 400.0).sqrt()
        );
    }
}

/// The safetensors file `bytes` without the tensor called `name`.
fn without(bytes: &[u8], name: &str) -> Vec<u8> {
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (head, body) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut entries: serde_json::Value = serde_json::from_slice(head).unwrap();
    // Its bytes stay, and nothing refers to them.
    entries.as_object_mut().unwrap().remove(name).expect("it was there");
    let head = entries.to_string();
    [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), body].concat()
}

#[test]
fn a_cell_of_before_is_as_sure_as_its_process() {
    let (vocabulary, oracle) = screen();
    let cell = trained(&vocabulary, &oracle);
    let before = Cell::from_bytes(&without(&cell.to_bytes().unwrap(), "sets.student")).unwrap();
    let asked: Vec<Experiment> = oracle.pool().iter().take(200).cloned().collect();
    let [now, then] =
        [&cell, &before].map(|cell| cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions);
    let Model::Sets(model) = &cell.model else { panic!("sets are not what this is") };
    let mut factors: Vec<f64> =
        now.iter().zip(&then).map(|(now, then)| now.epistemic_sd / then.epistemic_sd).collect();
    factors.sort_by(f64::total_cmp);
    assert!(factors[199] > 1.05 * factors[0], "{factors:?} {:?}", model.student);
    for (now, then) in now.iter().zip(&then) {
        assert_eq!((now.mean, now.hit_probability), (then.mean, then.hit_probability));
        // Both parts by one factor.
        assert!(
            (now.epistemic_sd * then.aleatoric_sd / (then.epistemic_sd * now.aleatoric_sd) - 1.0).abs()
                < 1e-9
        );
    }
    assert_eq!(
        before.to_bytes().unwrap(),
        Cell::from_bytes(&before.to_bytes().unwrap()).unwrap().to_bytes().unwrap()
    );
}

#[test]
fn a_cell_of_before_has_amplitudes_of_one() {
    let (vocabulary, oracle) = screen();
    let bytes = trained(&vocabulary, &oracle).to_bytes().unwrap();
    let older = without(&without(&bytes, "sets.value.amplitudes"), "sets.hit.amplitudes");
    let before = Cell::from_bytes(&older).unwrap();
    let [now, then] = [&Cell::from_bytes(&bytes).unwrap(), &before].map(|cell| match &cell.model {
        Model::Sets(model) => model.value.amplitudes.clone(),
        _ => panic!("sets are not what this is"),
    });
    assert!(!now.edits.is_empty() && then == Amplitudes::default());
    assert_eq!(Cell::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
    let again = Cell::from_bytes(&before.to_bytes().unwrap()).unwrap();
    assert_eq!(again.to_bytes().unwrap(), before.to_bytes().unwrap());
}

#[test]
fn one_outlier_does_not_make_all_other_sets_alike() {
    let (vocabulary, oracle) = screen();
    tch::set_num_threads(1);
    let mut cut: Vec<Observation> = oracle.pool().iter().step_by(7).filter_map(|e| oracle.ask(e)).collect();
    cut[5].value = 1e6;
    let cell =
        Cell::train(&vocabulary, &cut, &synthetic::spec(ModelFamily::BayesianLinear), 1, &Stop::default());
    let rest: Vec<Experiment> = oracle.pool().iter().skip(3).step_by(7).cloned().collect();
    let said = cell.unwrap().predict(&vocabulary, &rest, 0, 1).unwrap().predictions;
    let errors = rest.iter().zip(&said).map(|(e, p)| (oracle.ask(e).unwrap().value - p.mean).abs());
    let mean = errors.sum::<f64>() / rest.len() as f64;
    // Without the outlier it is below .3, and whoever knows nothing is 1.5 off.
    assert!(mean < 0.7, "{mean}");
}

/// Twenty edits of which nothing is known beside forty of [`screen`]; a pair with one of the first four is worth three more.
fn hubs(vocabulary: &Vocabulary) -> (Cell, Vec<Observation>) {
    tch::set_num_threads(1);
    let mut text = String::from("gene_a,gene_b,gi_score,hit\n");
    for one in 0..20 {
        for other in one + 1..20 {
            let value = if one < 4 { 3.0 } else { 0.0 } + 0.1 * f64::from((one * 7 + other * 3) % 5);
            text.push_str(&format!("N{one},N{other},{value},{}\n", u8::from(value > 2.0)));
        }
    }
    let all = Oracle::read(text.as_bytes()).unwrap();
    let all: Vec<Observation> = all.pool().iter().filter_map(|e| all.ask(e)).collect();
    let (cut, rest): (Vec<_>, Vec<_>) = all.into_iter().enumerate().partition(|(place, _)| place % 3 == 0);
    let plain = |rows: Vec<(usize, Observation)>| rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
    let spec = synthetic::spec(ModelFamily::BayesianLinear);
    (Cell::train(vocabulary, &plain(cut), &spec, 1, &Stop::default()).unwrap(), plain(rest))
}

#[test]
fn edits_of_which_nothing_is_known_are_told_apart_by_name() {
    let nothing = Vocabulary::build(&FeatureTable::default(), None).unwrap();
    for vocabulary in [nothing, screen().0] {
        let (cell, rest) = hubs(&vocabulary);
        let asked: Vec<Experiment> = rest.iter().map(|row| row.experiment.clone()).collect();
        let said = cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions;
        for (row, said) in rest.iter().zip(&said) {
            let hub = row.hit == Some(true);
            assert_eq!(said.mean > 1.7, hub, "{:?}: {said:?}", row.experiment);
            assert_eq!(said.hit_probability > 0.5, hub, "{:?}: {said:?}", row.experiment);
        }
    }
}

#[test]
fn an_unknown_edit_that_was_measured_is_doubted_no_more_than_its_process_doubts_it() {
    let vocabulary = screen().0;
    let (cell, _) = hubs(&vocabulary);
    let asked = ["N5+N6", "N5+NEW", "NEWER+NEW"].map(experiment);
    let said = cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions;
    assert!(said.windows(2).all(|two| two[0].epistemic_sd < two[1].epistemic_sd), "{said:?}");
    assert!(said[0].epistemic_sd < 0.3, "{said:?}");
}

#[test]
fn a_cell_of_before_still_takes_all_unknown_edits_for_one() {
    let vocabulary = screen().0;
    let (cell, _) = hubs(&vocabulary);
    let bytes = cell.to_bytes().unwrap();
    let asked = ["N5+E6", "N1+E6", "NEW+E6"].map(experiment);
    let said = |bytes: &[u8]| {
        let means = Cell::from_bytes(bytes).unwrap().predict(&vocabulary, &asked, 0, 1).unwrap().predictions;
        means.iter().map(|it| it.mean).collect::<Vec<f64>>()
    };
    let (now, before) = (said(&bytes), said(&without(&bytes, "sets.identities")));
    assert!(now[1] > now[0] + 1.0, "{now:?}");
    assert!(before.iter().all(|mean| (mean - before[0]).abs() < 1e-6), "{before:?}");
    // Where something is known of every edit, nothing more is kept.
    let known = trained(&vocabulary, &screen().1).to_bytes().unwrap();
    assert!(!String::from_utf8_lossy(&known).contains("sets.identities"));
}
