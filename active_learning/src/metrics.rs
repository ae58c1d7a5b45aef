//! Proper scores and calibration of predictive distributions.
//!
//! Sources: Gneiting & Raftery 2007 (scores), Naeini et al. 2015 (expected calibration error).

use std::f64::consts::PI;

/// Quantile of the standard normal that leaves 5 % above.
pub const Z_90: f64 = 1.644_853_626_951_472_7;
const Z_80: f64 = 1.281_551_565_544_600_4;
const Z_50: f64 = 0.674_489_750_196_081_7;

/// One value that came back, and what was predicted of it. Any unit, the same for all three.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    pub mean: f64,
    /// Standard deviation of the predictive distribution, both parts.
    pub sd: f64,
    pub observed: f64,
}

impl Forecast {
    /// The error in sd.
    pub fn z(&self) -> f64 {
        (self.observed - self.mean) / self.sd
    }

    /// With an sd `factor` times as large.
    pub fn widened(&self, factor: f64) -> Self {
        Self { sd: self.sd * factor, ..*self }
    }

    /// Log predictive density, in nats.
    pub fn log_score(&self) -> f64 {
        -0.5 * (2.0 * PI * self.sd * self.sd).ln() - 0.5 * self.z().powi(2)
    }

    /// Continuous ranked probability score of a Gaussian (Gneiting & Raftery 2007, eq. 5, negated: lower
    /// is better), in the unit of the value.
    pub fn crps(&self) -> f64 {
        let z = self.z();
        self.sd * (z * (2.0 * normal_cdf(z) - 1.0) + 2.0 * normal_pdf(z) - 1.0 / PI.sqrt())
    }
}

/// Shares of values inside the central intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    pub of_50: f64,
    pub of_80: f64,
    pub of_90: f64,
}

/// `None` for no forecasts.
pub fn coverage(forecasts: &[Forecast]) -> Option<Coverage> {
    let inside = |limit: f64| mean(forecasts.iter().map(|f| f64::from(u8::from(f.z().abs() <= limit))));
    Some(Coverage { of_50: inside(Z_50)?, of_80: inside(Z_80)?, of_90: inside(Z_90)? })
}

/// Expected calibration error over ten bins of equally many forecasts: `(probability, happened)`.
///
/// Bins of equal mass, not of equal width: with 5 % hits nearly all probabilities share one narrow bin. Forecasts of one
/// probability count with what happened to them on average, wherever the bins cut them: their order says nothing.
pub fn expected_calibration_error(forecasts: &[(f64, bool)]) -> Option<f64> {
    if forecasts.is_empty() {
        return None;
    }
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let excess = sorted.chunk_by(|a, b| a.0 == b.0).flat_map(|equal| {
        let happened = equal.iter().filter(|(_, happened)| *happened).count() as f64;
        std::iter::repeat_n(equal[0].0 - happened / equal.len() as f64, equal.len())
    });
    let excess: Vec<f64> = excess.collect();
    let error: f64 = bins(&excess).map(|bin| bin.iter().sum::<f64>().abs()).sum();
    Some(error / excess.len() as f64)
}

fn bins<T>(sorted: &[T]) -> std::slice::Chunks<'_, T> {
    sorted.chunks(sorted.len().div_ceil(10).max(1))
}

/// Mean and sd of the calibration error that these probabilities would have by chance alone if all of them held: of
/// each bin's sum, which is then normal with the variance of its calls, the absolute value. Bins that share forecasts of one
/// probability go up and down together.
pub fn calibration_error_by_chance(forecasts: &[(f64, bool)]) -> Option<(f64, f64)> {
    if forecasts.is_empty() {
        return None;
    }
    let mut sorted: Vec<f64> = forecasts.iter().map(|(probability, _)| *probability).collect();
    sorted.sort_by(f64::total_cmp);
    let groups = sorted.chunk_by(|a, b| a == b).enumerate();
    let of_group: Vec<(usize, f64)> =
        groups.flat_map(|(group, equal)| equal.iter().map(move |_| (group, equal.len() as f64))).collect();
    let calls: Vec<(usize, f64, f64)> =
        of_group.into_iter().zip(&sorted).map(|((group, size), p)| (group, size, p * (1.0 - p))).collect();
    // Per bin and group: how much of the group's sum is the bin's, and that sum's variance.
    let shares: Vec<Vec<(usize, f64, f64)>> = bins(&calls)
        .map(|bin| {
            let parts = bin.chunk_by(|a, b| a.0 == b.0);
            parts.map(|part| (part[0].0, part.len() as f64 / part[0].1, part[0].1 * part[0].2)).collect()
        })
        .collect();
    let covariance = |one: &[(usize, f64, f64)], other: &[(usize, f64, f64)]| -> f64 {
        let both = one.iter().flat_map(|a| other.iter().filter(|b| a.0 == b.0).map(move |b| a.1 * b.1 * a.2));
        both.sum()
    };
    let sds: Vec<f64> = shares.iter().map(|bin| covariance(bin, bin).sqrt()).collect();
    let expected = (2.0 / PI).sqrt() * sds.iter().sum::<f64>();
    let mut variance = 0.0;
    for (one, sd) in shares.iter().zip(&sds) {
        for (other, other_sd) in shares.iter().zip(&sds) {
            let together = sd * other_sd;
            if together > 0.0 {
                // Of two normals that are so correlated the covariance of their sizes.
                let r = (covariance(one, other) / together).clamp(-1.0, 1.0);
                variance += together * 2.0 / PI * ((1.0 - r * r).sqrt() + r * r.asin() - 1.0);
            }
        }
    }
    let count = sorted.len() as f64;
    Some((expected / count, variance.max(0.0).sqrt() / count))
}

/// `None` for no values.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.into_iter().fold((0.0, 0u32), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Sample standard deviation; `None` for fewer than two values.
pub fn sd(values: &[f64]) -> Option<f64> {
    let centre = mean(values.iter().copied())?;
    let squares: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The upper one of two in the middle; `None` for no values.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

pub fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

pub fn logit(probability: f64) -> f64 {
    let kept = probability.clamp(1e-9, 1.0 - 1e-9);
    (kept / (1.0 - kept)).ln()
}

pub fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// Abramowitz & Stegun 7.1.26 through the error function; absolute error below 1.5e-7.
pub fn normal_cdf(z: f64) -> f64 {
    let x = z.abs() / 2f64.sqrt();
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let erf = 1.0 - series * (-x * x).exp();
    0.5 * (1.0 + erf.copysign(z))
}

/// The threshold that tells hits, which lie above, from the rest with the fewest mistakes, and how many they are. Between
/// two values of `called`, which it puts in order, highest first; `None`: all are one value.
pub fn fewest_mistakes(called: &mut [(f64, bool)]) -> Option<(usize, f64)> {
    called.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Mistakes when the first so many are taken for hits.
    let mut mistakes = called.iter().filter(|(_, hit)| *hit).count();
    let mut best: Option<(usize, f64)> = None;
    for pair in called.windows(2) {
        mistakes = if pair[0].1 { mistakes - 1 } else { mistakes + 1 };
        if pair[0].0 > pair[1].0 && best.is_none_or(|(fewest, _)| mistakes < fewest) {
            best = Some((mistakes, (pair[0].0 + pair[1].0) / 2.0));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_crps_of_a_gaussian_is_its_closed_form() {
        // At the mean: sd (sqrt(2/pi) - 1/sqrt(pi)) = 0.2336949772 sd.
        let at_mean = Forecast { mean: 1.0, sd: 2.0, observed: 1.0 };
        assert!((at_mean.crps() - 2.0 * 0.233_694_977_2).abs() < 1e-6);
        // One sd away: 1 (2 Phi(1) - 1) + 2 phi(1) - 1/sqrt(pi) = 0.6024414.
        let one_away = Forecast { mean: 0.0, sd: 1.0, observed: -1.0 };
        assert!((one_away.crps() - 0.602_441_4).abs() < 1e-6);
    }

    #[test]
    fn the_log_score_is_the_log_density() {
        let forecast = Forecast { mean: 0.0, sd: 1.0, observed: 0.0 };
        assert!((forecast.log_score() + 0.918_938_533).abs() < 1e-9);
    }

    #[test]
    fn probabilities_that_come_true_have_no_calibration_error() {
        let honest: Vec<(f64, bool)> = (0..1000).map(|i| (0.1, i % 10 == 0)).collect();
        assert!(expected_calibration_error(&honest).unwrap() < 1e-12);
        let boastful: Vec<(f64, bool)> = (0..1000).map(|i| (0.4, i % 10 == 0)).collect();
        assert!((expected_calibration_error(&boastful).unwrap() - 0.3).abs() < 1e-9);
    }

    #[test]
    fn the_order_of_equal_probabilities_changes_nothing() {
        let sorted: Vec<(f64, bool)> = (0..1000).map(|i| (0.1, i < 100)).collect();
        assert!(expected_calibration_error(&sorted).unwrap() < 1e-12);
        // Half of what a bin holds is of another probability: .2 of which .3 happen.
        let mixed: Vec<(f64, bool)> = sorted.into_iter().chain((0..50).map(|i| (0.2, i < 15))).collect();
        assert!((expected_calibration_error(&mixed).unwrap() - 0.1 * 50.0 / 1050.0).abs() < 1e-12);
    }

    #[test]
    fn chance_explains_the_calibration_error_of_honest_probabilities_that_are_equal() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let mut errors = Vec::new();
        let mut said = (0.0, 0.0);
        for _ in 0..4_000 {
            let calls = (0..400).map(|i| if i < 250 { 0.2 } else { 0.3 + 0.001 * f64::from(i - 250) });
            let calls: Vec<(f64, bool)> = calls.map(|p| (p, rng.random::<f64>() < p)).collect();
            said = calibration_error_by_chance(&calls).unwrap();
            errors.push(expected_calibration_error(&calls).unwrap());
        }
        assert!((mean(errors.iter().copied()).unwrap() / said.0 - 1.0).abs() < 0.05, "{said:?}");
        assert!((sd(&errors).unwrap() / said.1 - 1.0).abs() < 0.1, "{said:?}");
    }

    #[test]
    fn chance_explains_the_calibration_error_of_honest_probabilities() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut errors = Vec::new();
        let mut said = (0.0, 0.0);
        for _ in 0..2_000 {
            let calls = (0..128).map(|i| 0.1 + 0.4 * f64::from(i) / 128.0);
            let calls: Vec<(f64, bool)> = calls.map(|p| (p, rng.random::<f64>() < p)).collect();
            said = calibration_error_by_chance(&calls).unwrap();
            errors.push(expected_calibration_error(&calls).unwrap());
        }
        // A normal stands for a sum of 13 calls: a few per cent.
        assert!((mean(errors.iter().copied()).unwrap() / said.0 - 1.0).abs() < 0.05, "{said:?}");
        assert!((sd(&errors).unwrap() / said.1 - 1.0).abs() < 0.1, "{said:?}");
    }
}
