use super::Candidates;

/// Probability of being a hit: with hits as utility 1, the greedy choice of Bayesian decision theory, and
/// of active search with a horizon of one batch (Garnett et al. 2012, "Bayesian optimal active search and
/// surveying", one-step policy).
pub(super) fn scores(candidates: &Candidates) -> Vec<f64> {
    candidates.predictions.iter().map(|prediction| prediction.hit_probability).collect()
}
