//! Further readouts: learnt from their own rows, kept, and constraints where they say so.

use super::synthetic;
use active_learning::acquisition;
use active_learning::data::FurtherValue;
use active_learning::linear::logistic::Logistic;
use active_learning::model::Stop;
use active_learning::propose::{self, Request};
use active_learning::readouts::class::Class;
use active_learning::readouts::ordinal::Ordinal;
use active_learning::train::Cell;
use jobs::Experiment;
use jobs::work::learn::{Acquisition, ModelFamily, Objective};
use jobs::work::readout::{Constraint, Readout, ReadoutKind, ReadoutPrediction, ReadoutSays};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::Tensor;

fn readout(name: &str, kind: ReadoutKind, constraint: Option<Constraint>) -> Readout {
    Readout { name: name.into(), kind, constraint }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Of every gene of the synthetic screen, in its order: the first feature, which every readout here hangs on.
fn first_feature(screen: &synthetic::Screen) -> Vec<f64> {
    let text = String::from_utf8(screen.features.clone()).unwrap();
    text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect()
}

/// Readout 0: continuous; 1: three levels; 2: three classes; 3: a vector of 12 along two directions. Of genes 0 to 160,
/// the first three of every second gene only.
pub(crate) fn learnt() -> (synthetic::Screen, Vec<f64>, Cell, Vec<Readout>) {
    let screen = synthetic::screen();
    let x = first_feature(&screen);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut noise = |sd: f64| sd * rng.sample::<f64, _>(StandardNormal);
    let components: Vec<String> = (0..12).map(|i| format!("c{i}")).collect();
    let readouts = vec![
        readout(
            "alive",
            ReadoutKind::Continuous,
            Some(Constraint { at_most: Some(0.5), ..Constraint::default() }),
        ),
        readout("stress", ReadoutKind::Ordinal { labels: words(&["none", "some", "much"]) }, None),
        readout("shape", ReadoutKind::Class { labels: words(&["round", "flat", "spindle"]) }, None),
        readout("rna", ReadoutKind::Vector { components: components.clone() }, None),
    ];
    let oracle = screen.oracle();
    let mut values = Vec::new();
    for (gene, experiment) in oracle.pool().iter().take(160).enumerate() {
        let x = x[gene];
        let mut push = |readout, component, value| {
            let experiment = experiment.clone();
            values.push(FurtherValue { readout, component, experiment, value, replicates: 1.0, sem: None });
        };
        if gene % 2 == 0 {
            push(0, 0, 0.5 + x + noise(0.2));
            push(
                1,
                0,
                [0.0, 1.0, 2.0][usize::from(x + noise(0.3) > -0.5) + usize::from(x + noise(0.3) > 0.7)],
            );
            push(2, 0, if x + noise(0.2) < 0.0 { 1.0 } else { 2.0 });
        }
        for component in 0..components.len() {
            push(3, component, 10.0 + (component as f64 - 5.0) * x + noise(0.5));
        }
    }
    let cut = screen.cut(160);
    let vocabulary = screen.vocabulary();
    let mut cell = synthetic::train(&vocabulary, &cut, ModelFamily::BayesianLinear, 1);
    cell.learn_readouts(&vocabulary, &readouts, &values, &Stop::default()).unwrap();
    (screen, x, cell, readouts)
}

fn value(said: &ReadoutPrediction) -> (f64, f64) {
    let ReadoutSays::Value { mean, epistemic_sd, aleatoric_sd } = said.says else { panic!("{said:?}") };
    (mean, epistemic_sd.hypot(aleatoric_sd))
}

#[test]
fn each_head_foretells_genes_that_were_not_measured() {
    let (screen, x, cell, _) = learnt();
    let oracle = screen.oracle();
    let unseen: Vec<Experiment> = oracle.pool()[200..290].to_vec();
    let said = cell.predict_readouts(&screen.vocabulary(), &unseen, true).unwrap();
    let (mut right_level, mut right_shape, mut inside, mut error) = (0, 0, 0, 0.0);
    for (said, x) in said.iter().zip(&x[200..290]) {
        assert_eq!(said.len(), 3 + 12);
        let (mean, sd) = value(&said[0]);
        inside += usize::from((0.5 + x - mean).abs() < 1.645 * sd);
        let likeliest = |said: &ReadoutPrediction| {
            let ReadoutSays::Labels { probabilities } = &said.says else { panic!("{said:?}") };
            let sum: f64 = probabilities.iter().map(|p| p.probability).sum();
            assert!((sum - 1.0).abs() < 1e-9);
            let best = probabilities.iter().max_by(|a, b| a.probability.total_cmp(&b.probability)).unwrap();
            best.label.clone()
        };
        let level = ["none", "some", "much"][usize::from(*x > -0.5) + usize::from(*x > 0.7)];
        right_level += usize::from(likeliest(&said[1]) == level);
        right_shape += usize::from(likeliest(&said[2]) == if *x < 0.0 { "flat" } else { "spindle" });
        assert_eq!(said[3].readout, "rna/c0");
        error += (value(&said[3]).0 - (10.0 - 5.0 * x)).abs() / 90.0;
    }
    // By chance a third, and a half; the component's spread is 5.
    assert!(right_level > 65 && right_shape > 75, "{right_level} {right_shape} of 90");
    assert!(inside > 75 && error < 0.5, "{inside} of 90, {error}");
    let metrics = &cell.header.metrics.readouts;
    assert_eq!(metrics.iter().map(|m| m.training_rows).collect::<Vec<_>>(), [80, 80, 80, 160]);
    for metrics in metrics {
        assert!(metrics.held_out_log_score > metrics.baseline_log_score, "{metrics:?}");
    }
    let covered = [metrics[0].coverage_90.unwrap(), metrics[3].coverage_90.unwrap()];
    assert!(covered.iter().all(|covered| (0.85..=0.97).contains(covered)), "{covered:?}");
}

#[test]
fn heads_survive_a_checkpoint() {
    let (screen, _, cell, readouts) = learnt();
    let again = Cell::from_bytes(&cell.to_bytes().unwrap()).unwrap();
    assert!(again.knows(&readouts) && !again.knows(&readouts[..2]));
    let pool = screen.oracle().pool().to_vec();
    let ask = |cell: &Cell| cell.predict_readouts(&screen.vocabulary(), &pool, true).unwrap();
    assert_eq!(ask(&cell), ask(&again));
    assert_eq!(cell.to_bytes().unwrap(), again.to_bytes().unwrap());
}

/// Proposed genes' first feature, and the batch. Hits want it high, the constraint at most 0.
fn proposed(rule: Acquisition, constrained: bool) -> (Vec<f64>, propose::Proposed) {
    let (screen, x, mut cell, _) = learnt();
    if !constrained {
        cell.heads.clear();
    }
    let vocabulary = screen.vocabulary();
    let (oracle, cut) = (screen.oracle(), screen.cut(160));
    let excluded: Vec<Experiment> = cut.iter().map(|row| row.experiment.clone()).collect();
    let request = Request {
        pool: oracle.pool(),
        cut: &cut,
        pending: &[],
        excluded: &excluded,
        repeats: None,
        prices: None,
        per_plate: None,
        objective: Objective::Maximise,
        acquisition: rule,
        diversity: 0.0,
        rounds_left: None,
        batch_size: 10,
        runners_up: 0,
        seed: 3,
    };
    let batch = propose::propose(&vocabulary, &cell, &request).unwrap();
    let gene = |key: String| key.trim_start_matches('G').parse::<usize>().unwrap();
    let of_batch = batch.proposals.iter().map(|p| x[gene(p.experiment.perturbation.to_string())]);
    (of_batch.collect(), batch)
}

#[test]
fn a_batch_holds_to_its_constraints_and_says_so() {
    for rule in [Acquisition::HitProbability, Acquisition::Greedy, Acquisition::Auto { learning_share: None }]
    {
        let above = |x: &[f64]| x.iter().filter(|x| **x > 0.3).count();
        let ((x, batch), (free, unconstrained)) = (proposed(rule, true), proposed(rule, false));
        assert!(above(&x) == 0 && above(&free) > 5, "{rule:?}: {x:?} {free:?}");
        assert!(unconstrained.proposals.iter().all(|p| p.feasibility.is_none() && p.readouts.is_empty()));
        for proposal in &batch.proposals {
            let feasible = proposal.feasibility.unwrap();
            assert!(feasible > 0.5, "{rule:?}: {proposal:?}");
            assert!(proposal.reason.contains("at most 0.5 with probability"), "{}", proposal.reason);
            assert_eq!(proposal.readouts.len(), 3, "vectors are left out");
        }
    }
    assert_eq!(acquisition::samples_needed(Acquisition::Greedy, 10), 0);
}

fn columns(rows: usize, width: usize, seed: u64) -> (Tensor, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x: Vec<f64> = (0..rows * width).map(|_| rng.sample(StandardNormal)).collect();
    (Tensor::from_slice(&x).reshape([rows as i64, width as i64]), x)
}

/// With two levels the proportional odds model is logistic regression, the threshold its intercept's negative; with two
/// classes the multinomial one is, with weights of half the size on either side and twice the precision together.
#[test]
fn two_labels_are_logistic_regression() {
    let (x, flat) = columns(200, 3, 7);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let labels: Vec<usize> = flat
        .chunks(3)
        .map(|row| usize::from(row[0] - 0.5 * row[1] + rng.sample::<f64, _>(StandardNormal) > 0.3))
        .collect();
    let y: Vec<f64> = labels.iter().map(|label| *label as f64).collect();
    let y = Tensor::from_slice(&y).reshape([-1, 1]);
    let ones =
        Tensor::cat(&[Tensor::ones([200, 1], (tch::Kind::Double, tch::Device::Cpu)), x.shallow_clone()], 1);

    // The threshold is held with precision 1/4 about where the shares put it.
    let share = labels.iter().filter(|label| **label == 0).count() as f64 + 1.0;
    let start = (share / 202.0 / (1.0 - share / 202.0)).ln();
    let logistic = Logistic::fit(&ones, &y, &[-start, 0.0, 0.0, 0.0], &[0.25, 2.0, 2.0, 2.0]).unwrap();
    let ordinal = Ordinal::fit(&x, &labels, 2, &[2.0; 3]).unwrap();
    let expected: Vec<f64> = Vec::<f64>::try_from(logistic.weights.reshape([-1])).unwrap();
    let weights: Vec<f64> = Vec::<f64>::try_from(ordinal.weights.reshape([-1])).unwrap();
    // 1e-5: both stop when a Newton step gains less than 1e-9 of the loss.
    assert!((ordinal.thresholds[0] + expected[0]).abs() < 1e-5, "{:?} {expected:?}", ordinal.thresholds);
    assert!(
        weights.iter().zip(&expected[1..]).all(|(a, b)| (a - b).abs() < 1e-5),
        "{weights:?} {expected:?}"
    );

    let logistic = Logistic::fit(&ones, &y, &[0.0; 4], &[1.0; 4]).unwrap();
    let class = Class::fit(&ones, &labels, 2, &[2.0; 4]).unwrap();
    let difference = class.weights.select(1, 1) - class.weights.select(1, 0);
    let apart: Vec<f64> = Vec::<f64>::try_from(difference).unwrap();
    let expected: Vec<f64> = Vec::<f64>::try_from(logistic.weights.reshape([-1])).unwrap();
    assert!(apart.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4), "{apart:?} {expected:?}");
}

/// Three levels: the probabilities are those of the closed form, and more of the weight never lowers the level.
#[test]
fn levels_keep_their_order() {
    let model = Ordinal { weights: Tensor::from_slice(&[2.0]).reshape([1, 1]), thresholds: vec![-1.0, 1.0] };
    let x = Tensor::from_slice(&[-1.0, 0.0, 1.0]).reshape([3, 1]);
    let said = model.probabilities(&x).unwrap();
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    assert!(
        (said[1][0] - sigmoid(-1.0)).abs() < 1e-12
            && (said[1][1] - (sigmoid(1.0) - sigmoid(-1.0))).abs() < 1e-12
    );
    assert!(said[0][2] < said[1][2] && said[1][2] < said[2][2]);
}
