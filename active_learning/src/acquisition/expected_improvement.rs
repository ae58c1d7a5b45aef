use super::Candidates;
use crate::metrics::{normal_cdf, normal_pdf};
use jobs::work::learn::{Objective, Prediction};
use std::f64::consts::PI;

/// Smallest standard deviation told from none, in the readout's own units.
const LEAST_SD: f64 = 1e-12;
/// Terms of the continued fraction of Mills' ratio: from one sd out, exact in double precision.
const TERMS: u32 = 200;

/// Logarithm of the expected improvement over the best value measured (Mockus 1975; Jones, Schonlau & Welch 1998,
/// eq. 15). Noise is left out: the improvement is that of the noise-free value. Two-sided, improvement is distance
/// from the reference beyond the largest measured, to either side. As a logarithm (Ament et al. 2023, eq. 9),
/// because nearly all candidates of a large pool are so far below the best that the improvement itself is 0 in
/// double precision and could not rank them.
///
/// Where we depart: the best is the best *measured* value, noise and all, as in Jones et al.; under noise this is
/// optimistic of what was found and so holds new candidates to a higher mark. With nothing measured the mark is the
/// reference.
pub(super) fn scores(candidates: &Candidates) -> Vec<f64> {
    let mark = candidates.best_utility.unwrap_or_else(|| candidates.utility(candidates.reference));
    candidates.predictions.iter().map(|prediction| candidates.log_improvement(prediction, mark)).collect()
}

impl Candidates<'_> {
    fn log_improvement(&self, prediction: &Prediction, mark: f64) -> f64 {
        let Prediction { mean, epistemic_sd: sd, .. } = *prediction;
        match self.objective {
            Objective::Maximise | Objective::Minimise => log_expected(self.utility(mean) - mark, sd),
            Objective::TwoSided => {
                let above = log_expected(mean - self.reference - mark, sd);
                let below = log_expected(self.reference - mean - mark, sd);
                let (more, less) = if above > below { (above, below) } else { (below, above) };
                more + (less - more).exp().ln_1p()
            }
        }
    }
}

/// `ln E[max(X, 0)]` for `X ~ N(mean, sd^2)`: `ln sd + ln (phi(z) + z Phi(z))`, `z = mean / sd`.
fn log_expected(mean: f64, sd: f64) -> f64 {
    let sd = sd.max(LEAST_SD);
    let z = mean / sd;
    if z > -1.0 {
        return sd.ln() + (normal_pdf(z) + z * normal_cdf(z)).ln();
    }
    // phi(z) (1 - |z| M(|z|)), M Mills' ratio: its continued fraction 1 / (x + 1 / c), c = x + 2 / (x + 3 / ..),
    // gives the bracket as 1 / (x c + 1) without a difference.
    let x = -z;
    let c = (2..=TERMS).rev().fold(x, |rest, term| x + f64::from(term) / rest);
    sd.ln() - 0.5 * z * z - 0.5 * (2.0 * PI).ln() - (x * c).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `phi(z) + z Phi(z)` to 17 digits (mpmath, 50 digits).
    #[test]
    fn the_expected_improvement_is_its_closed_form() {
        let known = [
            (2.0, 2.008_490_702_616_829_6),
            (0.5, 0.697_796_557_401_306),
            (0.0, 0.398_942_280_401_432_7),
            (-0.5, 0.197_796_557_401_306_03),
            (-1.0, 0.083_315_470_587_686_3),
            (-3.0, 3.821_543_170_477_236e-4),
            (-6.0, 1.563_569_795_970_966_4e-10),
        ];
        for (z, expected) in known {
            // Above -1 the error function's polynomial; beyond, the fraction, slowest to converge at its end.
            let tolerance = if z > -1.0 { 1e-6 } else { 1e-10 };
            let (sd, expected) = (2.5, 2.5 * expected);
            let said = log_expected(z * sd, sd).exp();
            assert!((said / expected - 1.0).abs() < tolerance, "{z}: {said} {expected}");
        }
    }

    #[test]
    fn candidates_far_below_the_best_are_still_told_apart() {
        let far = [-60.0, -50.0, -45.0].map(|z| log_expected(z, 1.0));
        assert!(far.iter().all(|score| score.is_finite()) && far[0] < far[1] && far[1] < far[2], "{far:?}");
        assert!(log_expected(-1.0, 0.0).is_finite());
    }
}
