use super::Candidates;

/// Where the model is least sure of the value: the largest epistemic sd (uncertainty sampling on what can be learnt:
/// MacKay 1992; Sener & Savarese 2018 and Mehrjou et al. 2021, GeneDisco, measure it). Noise is left out, unlike in
/// plain uncertainty sampling, which asks again and again for what is only noisy. With the same noise everywhere it
/// ranks as information gain does.
pub(super) fn scores(candidates: &Candidates) -> Vec<f64> {
    candidates.predictions.iter().map(|prediction| prediction.epistemic_sd).collect()
}
