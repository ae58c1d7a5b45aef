//! Readings in units of the plate's own controls.
//!
//! A well's value is `(reading - negative) / (positive - negative)`: the negative control's centre is 0, the
//! positive's 1, whatever the reader's gain that day. Centre and spread are mean and sample standard deviation,
//! or, robust, median and 1.4826 x median absolute deviation (which estimates the standard deviation of a
//! normal sample and is not moved by a minority of bad wells).

use crate::planning::Role;
use instruments::labware::Well;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Makes the median absolute deviation of a normal sample its standard deviation: 1 / quantile(0.75).
const MAD_TO_SD: f64 = 1.4826;

/// One kind of control on one plate, in the channel's own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControlStatistics {
    /// Wells that were read and rightly filled.
    pub n: u32,
    /// Mean (or median); `None` without wells.
    pub mean: Option<f64>,
    /// Sample standard deviation (or 1.4826 x median absolute deviation); `None` with fewer than two.
    pub sd: Option<f64>,
}

/// A plate in units of its controls: negative 0, positive 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Normalised {
    pub negative: ControlStatistics,
    pub positive: ControlStatistics,
    /// Empty when there is no window between the controls.
    pub values: BTreeMap<Well, f64>,
}

impl ControlStatistics {
    /// Of finite `values`.
    pub fn of(values: &[f64], robust: bool) -> Self {
        let (mean, sd) = if robust { median_and_mad(values) } else { mean_and_sd(values) };
        let finite = |x: &f64| x.is_finite();
        Self {
            n: u32::try_from(values.len()).unwrap_or(u32::MAX),
            mean: mean.filter(finite),
            sd: sd.filter(finite),
        }
    }
}

impl Normalised {
    /// Distance from the negative to the positive control, in the channel's own unit; `None` without one.
    pub fn window(&self) -> Option<f64> {
        let (negative, positive) = (self.negative.mean?, self.positive.mean?);
        let window = positive - negative;
        // Less than the rounding of the readings themselves is no difference.
        let resolution = 8.0 * f64::EPSILON * negative.abs().max(positive.abs());
        (window.is_finite() && window.abs() > resolution).then_some(window)
    }
}

/// Normalises `readings` (one channel, usable wells, any values) to the controls that `roles` names among them.
pub fn normalise(readings: &BTreeMap<Well, f64>, roles: &BTreeMap<Well, Role>, robust: bool) -> Normalised {
    let control = |role: Role| -> ControlStatistics {
        let of_role =
            readings.iter().filter(|(well, value)| value.is_finite() && roles.get(well) == Some(&role));
        ControlStatistics::of(&of_role.map(|(_, value)| *value).collect::<Vec<f64>>(), robust)
    };
    let mut plate = Normalised {
        negative: control(Role::NegativeControl),
        positive: control(Role::PositiveControl),
        values: BTreeMap::new(),
    };
    if let (Some(window), Some(zero)) = (plate.window(), plate.negative.mean) {
        let scaled = readings.iter().map(|(well, value)| (*well, (value - zero) / window));
        plate.values = scaled.filter(|(_, value)| value.is_finite()).collect();
    }
    plate
}

/// Sample mean and standard deviation (divisor n - 1).
pub(super) fn mean_and_sd(values: &[f64]) -> (Option<f64>, Option<f64>) {
    if values.is_empty() {
        return (None, None);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (Some(mean), (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()))
}

fn median_and_mad(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let Some(centre) = median(values) else { return (None, None) };
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    let sd = median(&deviations).filter(|_| values.len() > 1).map(|deviation| MAD_TO_SD * deviation);
    (Some(centre), sd)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(lower + (upper - lower) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(values: &[(&str, Role, f64)]) -> (BTreeMap<Well, f64>, BTreeMap<Well, Role>) {
        let well = |name: &str| -> Well { name.parse().unwrap() };
        let readings = values.iter().map(|(name, _, value)| (well(name), *value)).collect();
        (readings, values.iter().map(|(name, role, _)| (well(name), *role)).collect())
    }

    #[test]
    fn negative_is_zero_positive_one_and_the_rest_in_proportion() {
        use Role::{NegativeControl as N, PositiveControl as P, Sample as S};
        // Negative 8, 10, 12: mean 10, sd 2. Positive 90, 100, 110: mean 100, sd 10.
        let (readings, roles) = plate(&[
            ("A1", N, 8.0),
            ("A2", N, 10.0),
            ("A3", N, 12.0),
            ("A4", P, 90.0),
            ("A5", P, 100.0),
            ("A6", P, 110.0),
            ("B1", S, 55.0),
            ("B2", S, 1.0),
            ("B3", S, 118.0),
        ]);
        let plate = normalise(&readings, &roles, false);
        assert_eq!(plate.negative, ControlStatistics { n: 3, mean: Some(10.0), sd: Some(2.0) });
        assert_eq!(plate.positive, ControlStatistics { n: 3, mean: Some(100.0), sd: Some(10.0) });
        let values: Vec<f64> =
            ["A2", "A5", "B1", "B2", "B3"].iter().map(|w| plate.values[&w.parse().unwrap()]).collect();
        assert_eq!(values, [0.0, 1.0, 0.5, -0.1, 1.2]);
    }

    #[test]
    fn a_positive_control_below_the_negative_is_still_one() {
        use Role::{NegativeControl as N, PositiveControl as P, Sample as S};
        let (readings, roles) = plate(&[("A1", N, 100.0), ("A2", P, 0.0), ("B1", S, 25.0)]);
        assert_eq!(normalise(&readings, &roles, false).values[&"B1".parse().unwrap()], 0.75);
    }

    #[test]
    fn robust_statistics_shrug_off_one_bad_well() {
        // Median of 1, 2, 3, 4, 100 is 3; absolute deviations 2, 1, 0, 1, 97 have the median 1.
        let robust = ControlStatistics::of(&[4.0, 100.0, 1.0, 3.0, 2.0], true);
        assert_eq!(robust, ControlStatistics { n: 5, mean: Some(3.0), sd: Some(1.4826) });
        // Even count: halfway between the middle two; deviations 1.5, .5, .5, 1.5 have the median 1.
        let robust = ControlStatistics::of(&[1.0, 2.0, 3.0, 4.0], true);
        assert_eq!(robust, ControlStatistics { n: 4, mean: Some(2.5), sd: Some(1.4826) });
    }

    #[test]
    fn controls_that_do_not_differ_normalise_nothing() {
        use Role::{NegativeControl as N, PositiveControl as P, Sample as S};
        for (n, p) in [(5.0, 5.0), (f64::NAN, 5.0), (1e308, -1e308), (1.0, 1.0 + f64::EPSILON)] {
            let (readings, roles) = plate(&[("A1", N, n), ("A2", P, p), ("B1", S, 25.0)]);
            assert!(normalise(&readings, &roles, false).values.is_empty(), "{n} {p}");
        }
    }
}
