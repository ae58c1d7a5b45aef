use super::Candidates;
use jobs::work::learn::Prediction;

/// What one noisy value of a candidate would teach of the readout, in nats: the mutual information between the value
/// and the model's parameters, `1/2 ln(1 + epistemic^2 / aleatoric^2)` for a Gaussian (MacKay 1992, "Information-based
/// objective functions for active data selection"; the closed form of BALD, Houlsby et al. 2011, eq. 2).
///
/// Where we depart: a batch is ranked candidate by candidate. What two of them would teach twice is left to
/// [`diversity`](super::diversity), which is the batch's joint information under a kernel of the features.
pub(super) fn scores(candidates: &Candidates) -> Vec<f64> {
    candidates.predictions.iter().map(gain).collect()
}

/// Smallest noise told from none: so that a model without noise ranks by what it does not know.
const LEAST_SHARE: f64 = 1e-9;

/// Of one prediction.
pub(crate) fn gain(prediction: &Prediction) -> f64 {
    let unknown = prediction.epistemic_sd.powi(2);
    let noise = prediction.aleatoric_sd.powi(2).max(LEAST_SHARE * unknown).max(f64::MIN_POSITIVE);
    0.5 * (unknown / noise).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(epistemic_sd: f64, aleatoric_sd: f64) -> f64 {
        gain(&Prediction { mean: 7.0, epistemic_sd, aleatoric_sd, hit_probability: 0.5 })
    }

    #[test]
    fn the_gain_is_the_difference_of_two_entropies() {
        // Entropy of the noisy value less that of the noise alone: 1/2 ln(2 pi e v), v = 3^2 + 2^2 and 2^2.
        let entropy = |variance: f64| 0.5 * (2.0 * std::f64::consts::PI * variance).ln() + 0.5;
        assert!((of(3.0, 2.0) - (entropy(13.0) - entropy(4.0))).abs() < 1e-12);
        assert_eq!(of(0.0, 1.0), 0.0);
    }

    #[test]
    fn without_noise_the_gain_is_finite_and_nothing_unknown_teaches_nothing() {
        assert!(of(1.0, 0.0).is_finite() && of(0.0, 0.0) == 0.0);
    }
}
