//! Compounds at doses.

use active_learning::data::{FeatureTable, Observation};
use active_learning::model::{Model, Stop};
use active_learning::prior::PriorScreens;
use active_learning::representation::{Encoded, Vocabulary};
use active_learning::train::Cell;
use jobs::work::learn::{ModelFamily, Prediction};
use jobs::{Context, Experiment};
use std::collections::HashSet;

const DRUGS: usize = 24;

/// Half of the drugs act, as one feature says; nothing is known of `NEW`.
fn vocabulary() -> Vocabulary {
    let mut text = String::from("drug,a_0,a_1,a_2\n");
    for drug in 0..DRUGS {
        let x = |k: usize| ((drug * 7 + k * 5) % 11) as f64 / 5.0 - 1.0;
        text.push_str(&format!("D{drug},{},{},{}\n", if drug % 2 == 0 { 1.0 } else { -1.0 }, x(1), x(2)));
    }
    Vocabulary::build(&FeatureTable::read(text.as_bytes()).unwrap(), None).unwrap()
}

fn experiment(key: &str) -> Experiment {
    Experiment { perturbation: key.parse().unwrap(), context: Context("line".into()) }
}

/// Two drugs of three at three doses; the acting ones by a Hill curve about 1 uM, up to 4.
fn singles() -> Vec<Observation> {
    let mut rows = Vec::new();
    for drug in (0..DRUGS).filter(|drug| drug % 3 != 0) {
        for (dose, molar) in [("100nM", 0.1), ("1uM", 1.0), ("10uM", 10.0)] {
            let value = if drug % 2 == 0 { 4.0 * molar / (1.0 + molar) } else { 0.0 };
            rows.push(Observation::single(experiment(&format!("D{drug}@{dose}")), value, Some(value > 3.0)));
        }
    }
    rows
}

fn pairs() -> Vec<Observation> {
    let mut rows = Vec::new();
    for one in 0..8 {
        for other in one + 1..8 {
            for (dose, molar) in [("100nM", 0.1), ("10uM", 10.0)] {
                let value = if (one + other) % 2 == 0 { 4.0 * molar / (1.0 + molar) } else { 0.0 };
                let key = format!("D{one}@{dose}+D{other}@{dose}");
                rows.push(Observation::single(experiment(&key), value, Some(value > 3.0)));
            }
        }
    }
    rows
}

fn train(vocabulary: &Vocabulary, cut: &[Observation]) -> Cell {
    tch::set_num_threads(1);
    let spec = crate::synthetic::spec(ModelFamily::BayesianLinear);
    Cell::train(vocabulary, cut, &spec, 1, &Stop::default()).unwrap()
}

fn said(cell: &Cell, vocabulary: &Vocabulary, keys: &[&str]) -> Vec<Prediction> {
    let asked: Vec<Experiment> = keys.iter().map(|key| experiment(key)).collect();
    cell.predict(vocabulary, &asked, 0, 1).unwrap().predictions
}

#[test]
fn an_effect_grows_with_a_dose_that_was_never_measured() {
    let vocabulary = vocabulary();
    let cell = train(&vocabulary, &singles());
    // Never measured at any dose: 0 acts by its features, 3 does not.
    let of = said(&cell, &vocabulary, &["D0@30nM", "D0@300nM", "D0@3uM", "D0@30uM", "D3@30uM"]);
    let means: Vec<f64> = of.iter().map(|prediction| prediction.mean).collect();
    assert!(means[..4].windows(2).all(|two| two[0] < two[1]), "{means:?}");
    assert!(means[3] > means[4] + 1.5, "{means:?}");
    assert!(of[3].hit_probability > of[0].hit_probability && of[3].hit_probability > of[4].hit_probability);
    // The truth is 3.
    assert!((means[2] - 3.0).abs() < 0.7, "{means:?}");
}

#[test]
fn sets_know_a_dose_by_those_near_it() {
    let vocabulary = vocabulary();
    let cell = train(&vocabulary, &pairs());
    assert!(matches!(cell.model, Model::Sets(_)));
    let of = said(&cell, &vocabulary, &["D2@8uM+D4@8uM", "D2@120nM+D4@120nM", "D2@8uM+D3@8uM"]);
    assert!((of[0].mean - 3.6).abs() < 0.7, "{of:?}");
    assert!(of[1].mean < 1.2 && of[2].mean < 1.2, "{of:?}");
    let near = said(&cell, &vocabulary, &["D2@10uM+D4@10uM", "D2@1mM+D4@1mM"]);
    assert!(near[0].epistemic_sd < near[1].epistemic_sd, "two decades away less is known: {near:?}");
}

#[test]
fn a_cell_of_doses_is_its_bytes() {
    let vocabulary = vocabulary();
    for cut in [singles(), pairs()] {
        let cell = train(&vocabulary, &cut);
        let read = Cell::from_bytes(&cell.to_bytes().unwrap()).unwrap();
        let keys = ["D1@2uM", "D1@2uM+D2@20nM", "NEW@1uM", "D5"];
        let (before, after) = (said(&cell, &vocabulary, &keys), said(&read, &vocabulary, &keys));
        for (one, other) in before.iter().zip(&after) {
            // A root that was turned over in memory: last digits of double precision.
            assert!(
                (one.mean - other.mean).abs() < 1e-9 && (one.epistemic_sd - other.epistemic_sd).abs() < 1e-9
            );
            assert!((one.hit_probability - other.hit_probability).abs() < 1e-9, "{one:?} {other:?}");
        }
    }
}

#[test]
fn without_doses_nothing_is_there_of_them() {
    let vocabulary = vocabulary();
    let plain = |row: Observation| {
        let key = row.experiment.perturbation.to_string();
        let bare: Vec<&str> = key.split('+').map(|edit| jobs::dose::split(edit).0).collect();
        Observation { experiment: experiment(&bare.join("+")), ..row }
    };
    for cut in [singles(), pairs()] {
        let cut: Vec<Observation> = cut.into_iter().map(plain).collect();
        let cell = train(&vocabulary, &cut);
        let bytes = String::from_utf8_lossy(&cell.to_bytes().unwrap()).into_owned();
        assert!(!bytes.contains("doses") && !bytes.contains("sets.decades"));
        // An edit without a dose is one at 1 uM, to the bit.
        let keys: [&[&str]; 2] = [&["D1", "D1+D2", "D7"], &["D1@1uM", "D1@1uM+D2@1uM", "D7@1000nM"]];
        assert_eq!(said(&cell, &vocabulary, keys[0]), said(&cell, &vocabulary, keys[1]));
    }
    let encoded = Encoded::of(&[experiment("D1"), experiment("D4")], &vocabulary, &[]).unwrap();
    let rows = encoded.edit_rows(&vocabulary).unwrap().narrow(1, 0, vocabulary.width());
    assert_eq!(rows, vocabulary.x.index_select(0, &encoded.rows));
}

#[test]
fn what_other_screens_say_of_a_dose_is_believed_beside_the_features_of_its_compound() {
    let mut text = String::from("screen_id,gene,score,hit\n");
    for screen in 0..6 {
        for drug in 0..DRUGS {
            for (dose, hit) in [("100nM", 0), ("10uM", u8::from(drug < 12))] {
                text.push_str(&format!("s{screen},D{drug}@{dose},{},{hit}\n", (drug * 7 + screen) % 11));
            }
        }
    }
    let prior = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
    let mut features = String::from("drug,a_0,a_1\n");
    (0..DRUGS).for_each(|drug| features.push_str(&format!("D{drug},{},{}\n", 1 + drug % 5, drug % 3)));
    let features = FeatureTable::read(features.as_bytes()).unwrap();
    let vocabulary = Vocabulary::build(&features, Some(&prior)).unwrap();
    let asked = ["D3@10uM", "D3@100nM", "D3@3uM", "D20@10uM"].map(experiment);
    let encoded = Encoded::of(&asked, &vocabulary, &[]).unwrap();
    let odds = Vec::<f32>::try_from(&encoded.log_odds).unwrap();
    assert!(odds[0] > odds[1] + 0.5 && odds[0] > odds[3] + 0.5, "{odds:?}");
    // One compound at whatever dose: its features are the same row, and what is learnt of it is shared.
    let rows = Vec::<i64>::try_from(&encoded.rows).unwrap();
    assert!(rows[..3].iter().all(|row| *row == vocabulary.row("D3")), "{rows:?}");
}
