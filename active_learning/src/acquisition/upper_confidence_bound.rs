use super::Candidates;

/// Utility of the mean plus `beta` epistemic standard deviations (Auer 2002; Srinivas et al. 2010,
/// GP-UCB, with a constant in place of their growing factor). Noise is left out: it cannot be learnt away.
pub(super) fn scores(candidates: &Candidates, beta: f64) -> Vec<f64> {
    let score = |p: &jobs::work::learn::Prediction| candidates.utility(p.mean) + beta * p.epistemic_sd;
    candidates.predictions.iter().map(score).collect()
}
