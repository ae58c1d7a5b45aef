//! Making predicted uncertainty keep its promise, on rows that the predicting members never saw.
//!
//! A factor on the standard deviation, conformal at 90 % (Lei et al. 2018, on absolute standardised
//! residuals) once errors are levelled over the log-odds of a hit ([`crate::stretch`]), and two numbers on the log-odds of a hit (Platt 1999), drawn towards the identity where
//! there are few hits. What is reported of held-out rows is cross-fitted: each fold's numbers come from
//! the calibration of the other folds.

use crate::line::{Firmness, Line};
use crate::metrics::{self, Forecast, Z_90};
use crate::stretch::Stretch;
use jobs::work::learn::ModelMetrics;
use serde::{Deserialize, Serialize};

/// Fewer held-out rows than this correct no probability of a hit: there are too few hits among them.
pub const FEWEST_ROWS: usize = 40;
/// Fewer than this are neither scored nor used to widen intervals: below two rows a fold there is no telling one
/// model from another. (With nine, the conformal factor is that of the worst row: wide, and honest.)
pub const FEWEST_SCORED: usize = 8;

/// Corrections applied to every prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Factor on both standard deviations.
    pub sd_factor: f64,
    /// And on the aleatoric one, by the (uncalibrated) log-odds of a hit.
    pub stretch: Stretch,
    /// `log-odds -> slope * log-odds + shift`.
    pub hit_slope: f64,
    pub hit_shift: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { sd_factor: 1.0, stretch: Stretch::default(), hit_slope: 1.0, hit_shift: 0.0 }
    }
}

/// A row predicted by members that had not seen it; standardised units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Position in the data cut.
    pub row: usize,
    pub fold: usize,
    pub forecast: Forecast,
    /// Of the forecast's sd, what no data of this kind would remove.
    pub aleatoric_sd: f64,
    pub hit_log_odds: f64,
    pub hit: bool,
}

impl HeldOut {
    /// With a noise `factor` times as large.
    fn noisier(&self, factor: f64) -> Forecast {
        let noise = self.aleatoric_sd.min(self.forecast.sd);
        let variance = self.forecast.sd.powi(2) + (factor * factor - 1.0) * noise * noise;
        Forecast { sd: variance.sqrt(), ..self.forecast }
    }
}

impl Calibration {
    pub fn fit(rows: &[HeldOut]) -> Self {
        Self::fit_to(&rows.iter().collect::<Vec<_>>())
    }

    fn fit_to(rows: &[&HeldOut]) -> Self {
        if rows.len() < FEWEST_SCORED {
            return Self::default();
        }
        let stretch = if rows.len() < FEWEST_ROWS { Stretch::default() } else { Stretch::fit(rows) };
        let levelled = |row: &&HeldOut| row.noisier(stretch.factor(row.hit_log_odds));
        let levelled: Vec<Forecast> = rows.iter().map(levelled).collect();
        let sd_factor = conformal_factor(levelled.iter());
        if rows.len() < FEWEST_ROWS {
            return Self { sd_factor, ..Self::default() };
        }
        let (hit_slope, hit_shift) = platt(rows);
        Self { sd_factor, stretch, hit_slope, hit_shift }
    }

    pub fn hit_probability(&self, log_odds: f64) -> f64 {
        metrics::sigmoid(self.hit_slope * log_odds + self.hit_shift)
    }

    fn forecast(&self, row: &HeldOut) -> Forecast {
        row.noisier(self.stretch.factor(row.hit_log_odds)).widened(self.sd_factor)
    }
}

/// The factor on sd that held-out forecasts ask for; 1 for too few of them.
pub fn sd_factor(held_out: &[Forecast]) -> f64 {
    if held_out.len() < FEWEST_SCORED { 1.0 } else { conformal_factor(held_out.iter()) }
}

/// The factor at which nine in ten held-out values lie inside their 90 % interval.
fn conformal_factor<'a>(held_out: impl Iterator<Item = &'a Forecast>) -> f64 {
    let score = |forecast: &Forecast| (forecast.observed - forecast.mean).abs() / forecast.sd;
    let mut scores: Vec<f64> = held_out.map(score).collect();
    scores.sort_by(f64::total_cmp);
    // ceil(0.9 (n + 1)), the finite-sample quantile of split conformal prediction.
    let rank = (0.9 * (scores.len() + 1) as f64).ceil() as usize;
    let at = scores.get(rank.saturating_sub(1).min(scores.len() - 1)).copied().unwrap_or(Z_90);
    (at / Z_90).clamp(0.1, 10.0)
}

/// Penalised logistic regression of the outcome on the predicted log-odds.
///
/// The log-odds are centred first. They lie far from 0, and about 0 a wrong level would be mended by the slope:
/// that says something of all that was not asked for, where the rows, all chosen as likely hits, say nothing.
fn platt(rows: &[&HeldOut]) -> (f64, f64) {
    let centre = metrics::mean(rows.iter().map(|row| row.hit_log_odds)).unwrap_or(0.0);
    let cases: Vec<(f64, f64)> =
        rows.iter().map(|row| (row.hit_log_odds, f64::from(u8::from(row.hit)))).collect();
    let Line { slope, shift, .. } = Line::fit(&cases, centre, FIRMNESS);
    // A slope at or below nothing would turn the ranking over: then say the base rate, in the old order.
    let slope = slope.max(0.05);
    (slope, shift + centre * (1.0 - slope))
}

/// Slope and shift are 1 and 0, give or take a half: the model's own level and weights were fitted to these rows
/// already, and what is left to mend is their optimism.
const FIRMNESS: Firmness = Firmness { slope: 4.0, shift: 4.0 };

/// The calibration error of the probability of a hit that chance alone gives honest probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    pub by_chance: f64,
    pub sd: f64,
}

/// A held-out row with what is said of it in the end; standardised units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Position in the data cut.
    pub row: usize,
    pub forecast: Forecast,
    pub hit_probability: f64,
    pub hit: bool,
}

impl Judged {
    /// Of the value, in nats.
    pub fn log_score(&self) -> f64 {
        self.forecast.log_score()
    }

    /// Of the hit call, in nats.
    pub fn hit_log_score(&self) -> f64 {
        let said = if self.hit { self.hit_probability } else { 1.0 - self.hit_probability };
        said.max(1e-12).ln()
    }
}

/// Each fold calibrated on the others.
pub fn cross_fitted(rows: &[HeldOut]) -> Vec<Judged> {
    let folds = rows.iter().map(|row| row.fold + 1).max().unwrap_or(0);
    let of_fold = |fold: usize| {
        let others: Vec<&HeldOut> = rows.iter().filter(|row| row.fold != fold).collect();
        let calibration = Calibration::fit_to(&others);
        let judge = move |row: &HeldOut| Judged {
            row: row.row,
            forecast: calibration.forecast(row),
            hit_probability: calibration.hit_probability(row.hit_log_odds),
            hit: row.hit,
        };
        rows.iter().filter(move |row| row.fold == fold).map(judge)
    };
    (0..folds).flat_map(of_fold).collect()
}

/// Scores of held-out rows, each fold calibrated on the others; and what of their calibration error is chance.
/// `training_rows` is the whole cut.
pub fn assess(training_rows: usize, rows: &[HeldOut]) -> (ModelMetrics, Option<Reliability>) {
    let mut report = ModelMetrics { training_rows: training_rows as u64, ..ModelMetrics::default() };
    if rows.len() < FEWEST_SCORED {
        return (report, None);
    }
    let judged = cross_fitted(rows);
    let forecasts: Vec<Forecast> = judged.iter().map(|row| row.forecast).collect();
    let hits: Vec<(f64, bool)> = judged.iter().map(|row| (row.hit_probability, row.hit)).collect();
    let covered = metrics::coverage(&forecasts);
    report.held_out_rows = rows.len() as u64;
    report.held_out_log_score = metrics::mean(forecasts.iter().map(Forecast::log_score));
    report.held_out_crps = metrics::mean(forecasts.iter().map(Forecast::crps));
    report.coverage_50 = covered.map(|c| c.of_50);
    report.coverage_80 = covered.map(|c| c.of_80);
    report.coverage_90 = covered.map(|c| c.of_90);
    report.hit_ece = metrics::expected_calibration_error(&hits);
    let chance = metrics::calibration_error_by_chance(&hits);
    (report, chance.map(|(by_chance, sd)| Reliability { by_chance, sd }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(sd: f64) -> Vec<HeldOut> {
        // Standard normal quantiles, predicted with a wrong sd.
        (0..400)
            .map(|i| {
                let u = (i as f64 + 0.5) / 400.0;
                let observed = inverse_cdf(u);
                let forecast = Forecast { mean: 0.0, sd, observed };
                HeldOut {
                    row: i,
                    fold: i % 4,
                    forecast,
                    aleatoric_sd: sd,
                    hit_log_odds: 1.0,
                    hit: i.is_multiple_of(10),
                }
            })
            .collect()
    }

    fn inverse_cdf(u: f64) -> f64 {
        let (mut low, mut high) = (-8.0, 8.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if metrics::normal_cdf(middle) < u { low = middle } else { high = middle }
        }
        low
    }

    #[test]
    fn too_small_standard_deviations_are_widened_to_cover() {
        let rows = rows(0.25);
        let calibration = Calibration::fit(&rows);
        assert!((calibration.sd_factor - 4.0).abs() < 0.15, "{}", calibration.sd_factor);
        let (report, _) = assess(400, &rows);
        assert!((report.coverage_90.unwrap() - 0.9).abs() < 0.02);
    }

    #[test]
    fn boastful_hit_probabilities_are_brought_down() {
        let calibration = Calibration::fit(&rows(1.0));
        // From .73; not all the way, since a shift of three is held to be unlikely.
        assert!((calibration.hit_probability(1.0) - 0.1).abs() < 0.05);
    }

    #[test]
    fn a_wrong_level_is_no_wrong_slope() {
        // Log-odds spread narrowly about -3; hits are one in five at each.
        let row = |i: usize| HeldOut {
            row: i,
            fold: i % 4,
            forecast: Forecast { mean: 0.0, sd: 1.0, observed: 0.0 },
            aleatoric_sd: 1.0,
            hit_log_odds: -3.0 + 0.02 * (i % 11) as f64,
            hit: (i / 11).is_multiple_of(5),
        };
        let calibration = Calibration::fit(&(0..550).map(row).collect::<Vec<_>>());
        assert!((calibration.hit_slope - 1.0).abs() < 0.1, "{calibration:?}");
        assert!((calibration.hit_probability(-2.9) - 0.2).abs() < 0.05, "{calibration:?}");
    }

    #[test]
    fn few_rows_widen_intervals_and_a_handful_changes_nothing() {
        let all = rows(0.25);
        let few: Vec<HeldOut> = all.into_iter().step_by(20).collect();
        let calibration = Calibration::fit(&few);
        assert!(calibration.sd_factor > 2.0, "{calibration:?}");
        assert_eq!((calibration.hit_slope, calibration.hit_shift), (1.0, 0.0), "20 rows hold too few hits");
        assert_eq!(Calibration::fit(&few[..7]), Calibration::default());
    }
}
