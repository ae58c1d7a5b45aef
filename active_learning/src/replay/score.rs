//! What was predicted against what is true: of the batch, and of all that is still unasked.
//!
//! The second is the bench's own look behind the counter. It scores the learner, and never reaches it: it is
//! taken after the choice, and nothing of it is kept but the scores. Only there are probabilities told apart
//! from chance: the calibration error of 128 honest forecasts is .05 to .1, that of 18,000 is .01.

use crate::data::Observation;
use crate::metrics::{self, Forecast};
use crate::propose::Proposed;
use crate::replay::Oracle;
use crate::replay::report::Round;
use jobs::Experiment;
use jobs::work::learn::{Prediction, Proposal};
use std::collections::HashSet;

/// Scores of one round. `has_scale`: values were measured before, so that intervals mean something.
pub(super) fn round(
    oracle: &Oracle,
    proposed: &Proposed,
    measured: &[Observation],
    earlier: &HashSet<&Experiment>,
    has_scale: bool,
) -> Round {
    let batch = proposed.proposals.iter().map(|proposal| proposal.prediction).zip(measured);
    let batch = Scores::of(batch, has_scale);
    let open = oracle.pool().iter().zip(&proposed.predictions);
    let open = open.filter(|(experiment, _)| !earlier.contains(experiment));
    let truth: Vec<(Prediction, Observation)> =
        open.filter_map(|(experiment, said)| Some((*said, oracle.ask(experiment)?))).collect();
    let pool = Scores::of(truth.iter().map(|(said, row)| (*said, row)), has_scale);
    Round {
        learning: proposed.learning,
        explanation: proposed.explanation.clone(),
        hits: measured.iter().filter(|row| row.hit == Some(true)).count(),
        coverage_50: batch.coverage.map(|c| c.of_50),
        coverage_80: batch.coverage.map(|c| c.of_80),
        coverage_90: batch.coverage.map(|c| c.of_90),
        crps: batch.crps,
        log_score: batch.log_score,
        hit_ece: batch.hit_ece,
        pool_coverage_50: pool.coverage.map(|c| c.of_50),
        pool_coverage_80: pool.coverage.map(|c| c.of_80),
        pool_coverage_90: pool.coverage.map(|c| c.of_90),
        pool_crps: pool.crps,
        pool_hit_ece: pool.hit_ece,
        pool_hit_log_score: pool.hit_log_score,
        ..Round::default()
    }
}

/// Probability of a hit and whether it was one, in the order of both.
pub(super) fn calls(proposals: &[Proposal], measured: &[Observation]) -> Vec<(f64, bool)> {
    let pairs = proposals.iter().zip(measured);
    pairs.map(|(p, row)| (p.prediction.hit_probability, row.hit == Some(true))).collect()
}

struct Scores {
    coverage: Option<metrics::Coverage>,
    crps: Option<f64>,
    log_score: Option<f64>,
    hit_ece: Option<f64>,
    hit_log_score: Option<f64>,
}

impl Scores {
    fn of<'a>(pairs: impl Iterator<Item = (Prediction, &'a Observation)>, has_scale: bool) -> Self {
        let (mut forecasts, mut calls) = (Vec::new(), Vec::new());
        for (said, row) in pairs {
            calls.push((said.hit_probability, row.hit == Some(true)));
            if has_scale {
                let sd = said.epistemic_sd.hypot(said.aleatoric_sd);
                forecasts.push(Forecast { mean: said.mean, sd, observed: row.value });
            }
        }
        let likelihood = |(p, hit): &(f64, bool)| if *hit { *p } else { 1.0 - p }.max(1e-9).ln();
        Self {
            coverage: metrics::coverage(&forecasts),
            crps: metrics::mean(forecasts.iter().map(Forecast::crps)),
            log_score: metrics::mean(forecasts.iter().map(Forecast::log_score)),
            hit_ece: metrics::expected_calibration_error(&calls),
            hit_log_score: metrics::mean(calls.iter().map(likelihood)),
        }
    }
}
