//! How the size of errors goes with how likely a hit is: likely hits are the extreme values, and often the noisiest. It is
//! the noise (aleatoric) that grows: what is not known of an experiment does not shrink because it is an unlikely hit.
//!
//! Conformal intervals of one width for all cover nine in ten of what was measured, which was chosen as likely hits; too
//! few of the likeliest and too many of the rest. Levelled first, by a weighted residual, they cover alike (Lei et al.
//! 2018, section 5.2, "locally-weighted conformal inference").

use crate::calibration::HeldOut;
use crate::metrics;
use serde::{Deserialize, Serialize};

/// Sd of the slope before any data: from one hit in a hundred to one in two errors grow 2.5 times, or shrink.
const PRIOR_SD: f64 = 0.2;
/// Variance of the logarithm of a normal variable's size is `pi^2 / 8`.
const NOISE: f64 = 1.233_7;
/// Smaller errors, in sd, count as this large: the logarithm of almost nothing says nothing.
const SMALLEST: f64 = 0.05;
/// Nothing is said of log-odds further than this beyond nine in ten of those that were seen.
const BEYOND: f64 = 1.0;

/// Noise is `exp(slope * (log-odds - about))` times as large; log-odds are held to `low..high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// 0: the same noise for all.
    pub slope: f64,
    pub about: f64,
    pub low: f64,
    pub high: f64,
}

impl Stretch {
    /// Ridge regression of the logarithm of each error's size, in its own sd, on the (uncalibrated) log-odds of a hit.
    pub fn fit(rows: &[&HeldOut]) -> Self {
        let mut log_odds: Vec<f64> = rows.iter().map(|row| row.hit_log_odds).collect();
        log_odds.sort_by(f64::total_cmp);
        let Some(last) = log_odds.len().checked_sub(1) else { return Self::default() };
        let at = |share: f64| log_odds[(last as f64 * share) as usize];
        let (low, high) = (at(0.05) - BEYOND, at(0.95) + BEYOND);
        let x: Vec<f64> = rows.iter().map(|row| row.hit_log_odds.clamp(low, high)).collect();
        let sizes: Vec<f64> = rows.iter().map(|row| row.forecast.z().abs().max(SMALLEST).ln()).collect();
        let about = metrics::mean(x.iter().copied()).unwrap_or(0.0);
        let usual = metrics::mean(sizes.iter().copied()).unwrap_or(0.0);
        let together: f64 = x.iter().zip(&sizes).map(|(x, size)| (x - about) * (size - usual)).sum();
        let alone: f64 = x.iter().map(|x| (x - about).powi(2)).sum();
        Self { slope: together / (alone + NOISE / (PRIOR_SD * PRIOR_SD)), about, low, high }
    }

    /// On the aleatoric sd of what has these log-odds.
    pub fn factor(&self, hit_log_odds: f64) -> f64 {
        (self.slope * (hit_log_odds.clamp(self.low, self.high) - self.about)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Forecast;

    /// Errors of all sizes at every log-odds from -4 to 0, `exp(slope * log-odds)` times as large.
    fn rows(slope: f64) -> Vec<HeldOut> {
        let row = |i: usize| {
            let hit_log_odds = -4.0 + 4.0 * (i / 20) as f64 / 40.0;
            let error = 0.1 * (i % 20) as f64 * (slope * hit_log_odds).exp();
            let forecast = Forecast { mean: 0.0, sd: 1.0, observed: error };
            HeldOut { row: i, fold: i % 4, forecast, aleatoric_sd: 1.0, hit_log_odds, hit: false }
        };
        (0..820).map(row).collect()
    }

    fn fitted(rows: &[HeldOut]) -> Stretch {
        Stretch::fit(&rows.iter().collect::<Vec<_>>())
    }

    #[test]
    fn errors_that_grow_with_the_odds_are_found_and_equal_ones_left() {
        assert!((fitted(&rows(0.2)).slope - 0.2).abs() < 0.04, "{:?}", fitted(&rows(0.2)));
        assert!(fitted(&rows(0.0)).slope.abs() < 1e-9);
    }

    #[test]
    fn few_rows_say_little_and_none_nothing() {
        let few: Vec<HeldOut> = rows(0.4).into_iter().filter(|row| row.row % 20 == 10).step_by(4).collect();
        let slope = fitted(&few).slope;
        assert!(slope > 0.0 && slope < 0.3, "{slope}");
        assert_eq!(fitted(&[]), Stretch::default());
        assert_eq!(Stretch::default().factor(3.0), 1.0);
    }

    #[test]
    fn far_beyond_what_was_seen_nothing_grows() {
        let stretch = fitted(&rows(0.2));
        assert_eq!(stretch.factor(5.0), stretch.factor(50.0));
        assert_eq!(stretch.factor(-8.0), stretch.factor(-80.0));
        assert!(stretch.factor(-0.5) > stretch.factor(-3.0));
    }
}
