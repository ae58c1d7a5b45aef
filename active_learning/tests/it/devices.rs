//! What is said of many experiments on a GPU is what is said of few on the host. Skipped where libtorch sees no GPU.

use crate::{readouts, sets, synthetic};
use active_learning::device::{self, HOST, WORTH_MOVING};
use active_learning::model::Stop;
use active_learning::propose::{self, Request};
use active_learning::representation::Vocabulary;
use active_learning::train::{Cell, Predicted};
use jobs::Experiment;
use jobs::work::learn::{Acquisition, ModelFamily, Objective};
use jobs::work::readout::ReadoutSays;

/// Draws that a mean is taken of.
const SAMPLES: usize = 256;

/// Whether there is a GPU; else says that `test` is skipped.
fn has_gpu(test: &str) -> bool {
    let found = device::heavy() != HOST;
    if !found {
        println!("LOOPWRIGHT-TEST-SKIPPED: {test}: libtorch sees no CUDA device");
    }
    found
}

/// `few` again and again, until there are enough to be moved.
fn many(few: &[Experiment]) -> Vec<Experiment> {
    assert!((few.len() as i64) < WORTH_MOVING);
    few.iter().cycle().take(WORTH_MOVING as usize + few.len()).cloned().collect()
}

/// Single precision in another order: a thousandth of an sd.
fn assert_near(what: &str, one: f64, other: f64) {
    assert!((one - other).abs() <= 1e-3 * (1.0 + other.abs()), "{what}: {one} {other}");
}

fn assert_same(vocabulary: &Vocabulary, cell: &Cell, few: &[Experiment]) {
    let here = cell.predict(vocabulary, few, 0, 1).unwrap().predictions;
    let Predicted { predictions, samples, .. } = cell.predict(vocabulary, &many(few), SAMPLES, 1).unwrap();
    for (row, (there, here)) in predictions.iter().zip(&here).enumerate() {
        assert_near("mean", there.mean, here.mean);
        assert_near("epistemic sd", there.epistemic_sd, here.epistemic_sd);
        assert_near("aleatoric sd", there.aleatoric_sd, here.aleatoric_sd);
        assert_near("probability of a hit", there.hit_probability, here.hit_probability);
        let drawn = samples.iter().map(|draw| draw[row]).sum::<f64>() / SAMPLES as f64;
        // Six standard errors.
        let apart = 6.0 * here.epistemic_sd / (SAMPLES as f64).sqrt() + 1e-3;
        assert!((drawn - here.mean).abs() < apart, "{drawn} {here:?}");
    }
}

#[test]
fn lines_and_forest_say_on_a_gpu_what_they_say_on_the_host() {
    if has_gpu("lines_and_forest_say_on_a_gpu_what_they_say_on_the_host") {
        let screen = synthetic::screen();
        let vocabulary = screen.vocabulary();
        let cell = synthetic::train(&vocabulary, &screen.cut(160), ModelFamily::BayesianLinear, 1);
        assert_same(&vocabulary, &cell, screen.oracle().pool());
    }
}

#[test]
fn sets_say_on_a_gpu_what_they_say_on_the_host() {
    if has_gpu("sets_say_on_a_gpu_what_they_say_on_the_host") {
        let (vocabulary, oracle) = sets::screen();
        assert_same(&vocabulary, &sets::trained(&vocabulary, &oracle), oracle.pool());
    }
}

#[test]
fn further_readouts_say_on_a_gpu_what_they_say_on_the_host() {
    if has_gpu("further_readouts_say_on_a_gpu_what_they_say_on_the_host") {
        let (screen, _, cell, _) = readouts::learnt();
        let (vocabulary, oracle) = (screen.vocabulary(), screen.oracle());
        let here = cell.predict_readouts(&vocabulary, oracle.pool(), true).unwrap();
        let there = cell.predict_readouts(&vocabulary, &many(oracle.pool()), true).unwrap();
        for (there, here) in there.iter().zip(&here).flat_map(|(there, here)| there.iter().zip(here)) {
            match (&there.says, &here.says) {
                (ReadoutSays::Value { mean, .. }, ReadoutSays::Value { mean: other, .. }) => {
                    assert_near(&here.readout, *mean, *other);
                }
                (ReadoutSays::Labels { probabilities }, ReadoutSays::Labels { probabilities: others }) => {
                    probabilities.iter().zip(others).for_each(|(one, other)| {
                        assert_near(&here.readout, one.probability, other.probability)
                    })
                }
                said => panic!("{said:?}"),
            }
        }
    }
}

#[test]
fn a_first_batch_is_spread_on_a_gpu() {
    if has_gpu("a_first_batch_is_spread_on_a_gpu") {
        let (vocabulary, oracle) = sets::screen();
        let spec = synthetic::spec(ModelFamily::BayesianLinear);
        let cell = Cell::train(&vocabulary, &[], &spec, 1, &Stop::default()).unwrap();
        let pool = many(oracle.pool());
        let request = Request {
            pool: &pool,
            cut: &[],
            pending: &[],
            excluded: &[],
            repeats: None,
            prices: None,
            per_plate: None,
            objective: Objective::TwoSided,
            acquisition: Acquisition::HitProbability,
            diversity: 0.0,
            rounds_left: None,
            batch_size: 40,
            runners_up: 0,
            seed: 1,
        };
        let proposed = propose::propose(&vocabulary, &cell, &request).unwrap();
        assert_eq!(proposed.proposals.len(), 40);
        assert!(proposed.proposals.iter().skip(20).all(|proposal| proposal.score.is_finite()));
    }
}
