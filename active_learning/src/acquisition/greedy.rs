use super::Candidates;

/// Utility of the predicted mean: pure exploitation, the baseline of every comparison (Settles 2009,
/// section 2; "expected reward" in Mehrjou et al. 2021, GeneDisco).
pub(super) fn scores(candidates: &Candidates) -> Vec<f64> {
    candidates.predictions.iter().map(|prediction| candidates.utility(prediction.mean)).collect()
}
