//! Probability that a constraint holds, and what that does to a choice (Gardner et al. 2014, Bayesian optimisation with
//! inequality constraints, eq. 4).
//!
//! Of what will be measured, noise included: the constraint is judged on the measurement. Readouts are taken as
//! independent, given the features.

use crate::metrics::normal_cdf;
use jobs::work::readout::{Constraint, ReadoutPrediction, ReadoutSays};

/// Of a normal with this mean and sd.
pub(super) fn of_value(constraint: &Constraint, mean: f64, sd: f64) -> f64 {
    let below = |limit: f64| normal_cdf((limit - mean) / sd.max(1e-12));
    let upper = constraint.at_most.map_or(1.0, below);
    let lower = constraint.at_least.map_or(0.0, below);
    (upper - lower).clamp(0.0, 1.0)
}

pub(super) fn of_labels(constraint: &Constraint, labels: &[String], probabilities: &[f64]) -> f64 {
    let allowed = labels.iter().zip(probabilities).filter(|(label, _)| constraint.one_of.contains(label));
    allowed.map(|(_, probability)| probability).sum::<f64>().clamp(0.0, 1.0)
}

/// As people read it in a reason, e.g. "viability 0.82 +- 0.10, feasible with probability 0.94 (at least 0.7)".
pub(crate) fn words(prediction: &ReadoutPrediction, constraint: &Constraint) -> Option<String> {
    let feasible = prediction.feasibility?;
    let asked = constraint.words();
    let name = &prediction.readout;
    Some(match &prediction.says {
        ReadoutSays::Value { mean, epistemic_sd, aleatoric_sd } => {
            let sd = epistemic_sd.hypot(*aleatoric_sd);
            format!("{name} {mean:.2} +- {sd:.2}, {asked} with probability {feasible:.2}")
        }
        ReadoutSays::Labels { .. } => format!("{name} {asked} with probability {feasible:.2}"),
    })
}
