//! What a cell knows after training.

use crate::synthetic::{self, FAMILIES, train};
use active_learning::calibration::Calibration;
use active_learning::data::Observation;
use active_learning::model::Stop;
use active_learning::train::Cell;
use jobs::work::learn::{ModelFamily, ModelSpec};
use jobs::{Context, Experiment};

fn experiment(key: &str, context: &str) -> Experiment {
    Experiment { perturbation: key.parse().unwrap(), context: Context(context.into()) }
}

#[test]
fn means_follow_what_was_held_back() {
    let screen = synthetic::screen();
    let (vocabulary, oracle) = (screen.vocabulary(), screen.oracle());
    let rest = &oracle.pool()[120..];
    for family in FAMILIES {
        let cell = train(&vocabulary, &screen.cut(120), family, 3);
        let predicted = cell.predict(&vocabulary, rest, 0, 1).unwrap().predictions;
        let pairs: Vec<(f64, f64)> =
            rest.iter().zip(&predicted).map(|(e, p)| (p.mean, oracle.ask(e).unwrap().value)).collect();
        let n = pairs.len() as f64;
        let (mx, my) =
            (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
        let cov: f64 = pairs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
        let (vx, vy): (f64, f64) =
            (pairs.iter().map(|p| (p.0 - mx).powi(2)).sum(), pairs.iter().map(|p| (p.1 - my).powi(2)).sum());
        let r = cov / (vx * vy).sqrt();
        // Noise alone allows r = .98; a model that learnt nothing has 0.
        assert!(r > 0.8, "{family:?}: r = {r}");
        let spreads = predicted.iter().all(|p| p.epistemic_sd > 0.0 && p.aleatoric_sd > 0.0);
        assert!(spreads && predicted.iter().all(|p| (0.0..=1.0).contains(&p.hit_probability)));
    }
}

#[test]
fn held_out_metrics_are_reported_and_the_intervals_hold() {
    let screen = synthetic::screen();
    let vocabulary = screen.vocabulary();
    for family in FAMILIES {
        let metrics = train(&vocabulary, &screen.cut(200), family, 3).header.metrics;
        assert_eq!((metrics.training_rows, metrics.held_out_rows), (200, 200));
        let covered = metrics.coverage_90.unwrap();
        // 200 rows: two binomial standard errors are .042.
        assert!((0.85..=0.95).contains(&covered), "{family:?}: {covered}");
        assert!(metrics.held_out_crps.unwrap() < 0.5 && metrics.hit_ece.unwrap() < 0.15, "{metrics:?}");
    }
}

#[test]
fn a_dozen_rows_are_evidence_by_folds_and_a_handful_is_none() {
    let screen = synthetic::screen();
    for family in FAMILIES {
        let few = train(&screen.vocabulary(), &screen.cut(7), family, 3).header;
        assert_eq!((few.metrics.training_rows, few.metrics.held_out_rows), (7, 0));
        assert_eq!(few.metrics.held_out_log_score, None);
        let dozen = train(&screen.vocabulary(), &screen.cut(12), family, 3).header;
        assert_eq!((dozen.metrics.training_rows, dozen.metrics.held_out_rows), (12, 12));
        assert!(dozen.metrics.held_out_log_score.is_some_and(f64::is_finite), "{:?}", dozen.metrics);
        let Calibration { hit_slope, hit_shift, .. } = dozen.calibration;
        assert_eq!((hit_slope, hit_shift), (1.0, 0.0), "a dozen hold too few hits to correct by");
    }
}

#[test]
fn missing_blocks_and_unknown_genes_still_get_a_prediction() {
    let screen = synthetic::screen();
    let vocabulary = screen.vocabulary();
    for family in FAMILIES {
        let cell = train(&vocabulary, &screen.cut(100), family, 3);
        // G5 misses block b, G299 has no row, NOWHERE is in no table, and the context is new.
        let asked = [
            experiment("G5", "replay"),
            experiment("G299", "replay"),
            experiment("NOWHERE", "replay"),
            experiment("G5+NOWHERE", "elsewhere"),
        ];
        let predicted = cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions;
        assert!(predicted.iter().all(|p| p.mean.is_finite() && p.epistemic_sd.is_finite()));
        assert_eq!(predicted[1], predicted[2], "of both nothing is known");
        assert_ne!(predicted[0], predicted[1]);
    }
}

#[test]
fn pairs_are_learnt_whatever_the_order_of_their_edits() {
    let screen = synthetic::screen();
    let vocabulary = screen.vocabulary();
    let cut: Vec<Observation> = (0..60)
        .map(|i| {
            let both = experiment(&format!("G{}+G{}", i, i + 60), "K");
            Observation::single(both, screen.rows[i].1 + screen.rows[i + 60].1, None)
        })
        .collect();
    for family in FAMILIES {
        let cell = train(&vocabulary, &cut, family, 3);
        assert!(!cell.header.hits_were_called);
        let asked = [experiment("G200+G201", "K"), experiment("G201+G200", "K")];
        let predicted = cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions;
        assert_eq!(predicted[0], predicted[1]);
    }
}

#[test]
fn contexts_shift_what_is_predicted() {
    let screen = synthetic::screen();
    let vocabulary = screen.vocabulary();
    let cut: Vec<Observation> = screen
        .cut(120)
        .into_iter()
        .enumerate()
        .map(|(i, mut row)| {
            row.experiment.context = Context(if i % 2 == 0 { "low" } else { "high" }.into());
            row.value += if i % 2 == 0 { -3.0 } else { 3.0 };
            row
        })
        .collect();
    for family in FAMILIES {
        let cell = train(&vocabulary, &cut, family, 3);
        let asked = [experiment("G290", "low"), experiment("G290", "high")];
        let predicted = cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions;
        assert!(predicted[1].mean - predicted[0].mean > 3.0, "{family:?}: {predicted:?}");
    }
}

#[test]
fn a_stop_ends_a_training_early() {
    let screen = synthetic::screen();
    let stop = Stop::default();
    stop.request();
    let spec = synthetic::spec(FAMILIES[0]);
    let ended = Cell::train(&screen.vocabulary(), &screen.cut(80), &spec, 1, &stop);
    assert_eq!(ended.unwrap_err().code(), "learner.stopped");
}

#[test]
fn what_was_never_seen_is_doubted_more_than_what_was() {
    let screen = synthetic::screen();
    let vocabulary = screen.vocabulary();
    let cut: Vec<Observation> = screen
        .cut(160)
        .into_iter()
        .enumerate()
        .map(|(i, mut row)| {
            row.experiment.context = Context(if i % 2 == 0 { "low" } else { "high" }.into());
            row.value += if i % 2 == 0 { -1.0 } else { 1.0 };
            row
        })
        .collect();
    for family in FAMILIES {
        let cell = train(&vocabulary, &cut, family, 3);
        let sd = |key: &str, context: &str| {
            let said = cell.predict(&vocabulary, &[experiment(key, context)], 0, 1).unwrap().predictions;
            said[0].epistemic_sd
        };
        let seen: Vec<f64> = (0..20).map(|gene| sd(&format!("G{gene}"), "low")).collect();
        let widest = seen.iter().copied().fold(0.0, f64::max);
        // The values' own sd is 2.7: not to know the gene is not to know nearly all of it.
        let nowhere = sd("NOWHERE", "low");
        assert!(
            nowhere > widest && nowhere > 1.5,
            "{family:?}: {nowhere} of no gene, {widest} of the widest"
        );
        for (gene, known) in seen.iter().enumerate() {
            let elsewhere = sd(&format!("G{gene}"), "elsewhere");
            assert!(elsewhere > known + 0.1, "{family:?}: G{gene} {elsewhere} elsewhere, {known} where seen");
        }
        assert!(sd("NOWHERE", "elsewhere") > nowhere);
        assert!(sd("NOWHERE+NOTHERE", "low") > nowhere);
    }
}

#[test]
fn draws_are_as_wide_as_what_is_said_and_one_for_each_unknown_edit() {
    let screen = synthetic::screen();
    let vocabulary = screen.vocabulary();
    for family in FAMILIES {
        let cell = train(&vocabulary, &screen.cut(120), family, 3);
        let asked = [experiment("NOWHERE", "replay"), experiment("NOTHERE", "replay")];
        let said = cell.predict(&vocabulary, &asked, 4000, 1).unwrap();
        let of = |i: usize| -> Vec<f64> { said.samples.iter().map(|sample| sample[i]).collect() };
        let sd = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
        };
        let (one, other) = (of(0), of(1));
        // 4000 draws: the sd of an sd is 1.1 %.
        assert!((sd(&one) / said.predictions[0].epistemic_sd - 1.0).abs() < 0.05, "{family:?}");
        let apart: Vec<f64> = one.iter().zip(&other).map(|(a, b)| a - b).collect();
        assert!(sd(&apart) > said.predictions[0].epistemic_sd, "{family:?}: they are drawn as one");
    }
}

#[test]
fn a_pair_that_only_singles_foretell_is_as_likely_as_its_edits_say() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(120));
    let context = &cut[0].experiment.context.0;
    let cell = train(&vocabulary, &cut, ModelFamily::BayesianLinear, 3);
    let asked = ["UNKNOWN1", "UNKNOWN2", "UNKNOWN1+UNKNOWN2"].map(|key| experiment(key, context));
    let predicted = cell.predict(&vocabulary, &asked, 0, 1).unwrap().predictions;
    let [one, other, both] = [0, 1, 2].map(|place| predicted[place].hit_probability);
    let independent = 1.0 - (1.0 - one) * (1.0 - other);
    assert!((both - independent).abs() < 1e-9, "{one} {other} {both}");
}

#[test]
fn a_single_network_is_calibrated_and_holds_one_opinion() {
    let screen = synthetic::screen();
    let (vocabulary, oracle) = (screen.vocabulary(), screen.oracle());
    let spec = ModelSpec { members: 1, ..synthetic::spec(ModelFamily::Ensemble) };
    tch::set_num_threads(1);
    let cell = Cell::train(&vocabulary, &screen.cut(200), &spec, 3, &Stop::default()).unwrap();
    let metrics = &cell.header.metrics;
    assert_eq!((metrics.training_rows, metrics.held_out_rows), (200, 200));
    let covered = metrics.coverage_90.unwrap();
    // 200 rows: two binomial standard errors are .042.
    assert!((0.85..=0.95).contains(&covered), "{covered}");
    let said = cell.predict(&vocabulary, &oracle.pool()[200..], 0, 1).unwrap();
    assert!(said.hit_information.is_empty());
    // Of all but the gene of which nothing is known.
    let certain =
        said.predictions.iter().filter(|it| it.epistemic_sd == 0.0 && it.aleatoric_sd > 0.0).count();
    assert_eq!((certain, said.predictions.len()), (99, 100));
    let kept = Cell::from_bytes(&cell.to_bytes().unwrap()).unwrap();
    let again = kept.predict(&vocabulary, &oracle.pool()[200..], 0, 1).unwrap();
    assert_eq!(again.predictions, said.predictions);
}

#[test]
fn an_ensemble_of_none_or_of_hundreds_is_refused() {
    let screen = synthetic::screen();
    for members in [0, 129] {
        let spec = ModelSpec { members, ..synthetic::spec(ModelFamily::Ensemble) };
        let refused = Cell::train(&screen.vocabulary(), &screen.cut(20), &spec, 1, &Stop::default());
        assert_eq!(refused.unwrap_err().code(), "learner.settings_invalid", "{members}");
    }
}

#[test]
fn encoders_that_start_at_random_are_another_model() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(60));
    let oracle = screen.oracle();
    let asked = &oracle.pool()[100..120];
    tch::set_num_threads(1);
    let means = |pretrained| {
        let spec = ModelSpec { pretrained, ..synthetic::spec(ModelFamily::Ensemble) };
        let cell = Cell::train(&vocabulary, &cut, &spec, 3, &Stop::default()).unwrap();
        let said = cell.predict(&vocabulary, asked, 0, 1).unwrap().predictions;
        said.iter().map(|it| it.mean).collect::<Vec<f64>>()
    };
    let learnt = means(true);
    assert_eq!(
        learnt,
        means(true),
        "to the bit, whether they were learnt for this training or an earlier one"
    );
    assert_ne!(learnt, means(false));
}
