use super::Candidates;
use crate::seed::{self, Purpose};
use rand::Rng;

/// Uniform over the eligible: the control that every figure stands beside.
pub(super) fn scores(candidates: &Candidates) -> Vec<f64> {
    let mut rng = seed::stream(candidates.seed, Purpose::Select);
    candidates.predictions.iter().map(|_| rng.random::<f64>()).collect()
}
