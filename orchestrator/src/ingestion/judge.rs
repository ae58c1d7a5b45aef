//! Whether a plate may train.

use super::normalise::{ControlStatistics, Normalised};
use crate::campaigns::spec::Qc;
use crate::planning::Role;
use instruments::labware::{PlateFormat, Well};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What QC says of a plate, with the numbers it says it from. Stored as the plate's `qc`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Judgement {
    pub verdict: Verdict,
    /// Why it failed, for people; empty when it passed.
    pub reasons: Vec<String>,
    /// `None` when the controls are too few or equal.
    pub z_prime: Option<f64>,
    /// Fitted change of the negative control across the plate as a fraction of the control window; `None`
    /// with fewer than three wells of it.
    pub control_drift: Option<f64>,
    /// Wells of the map without a reading (or a call, where a channel calls hits) or with a failed or short transfer.
    pub missing_fraction: f64,
    /// In the channel's own unit.
    pub negative: ControlStatistics,
    pub positive: ControlStatistics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PlateVerdict)]
pub enum Verdict {
    Pass,
    Fail,
}

/// Judges a plate by the campaign's limits. `usable`: readings of wells that were rightly filled; `roles`: the
/// whole map.
pub fn judge(
    qc: &Qc,
    format: PlateFormat,
    plate: &Normalised,
    usable: &BTreeMap<Well, f64>,
    roles: &BTreeMap<Well, Role>,
) -> Judgement {
    let z_prime = z_prime(plate);
    let control_drift = control_drift(format, plate, roles);
    let missing_fraction = missing_fraction(usable, roles);
    let mut reasons = control_reasons(plate);
    if let Some(z) = z_prime.filter(|z| exceeds(qc.minimum_z_prime, *z)) {
        reasons.push(format!("the Z'-factor is {z:.2}; at least {:.2} is asked", qc.minimum_z_prime));
    }
    if let Some(drift) = control_drift.filter(|drift| exceeds(*drift, qc.maximum_control_drift)) {
        let [drift, most] = [drift, qc.maximum_control_drift].map(|x| 100.0 * x);
        reasons.push(format!(
            "the negative control drifts across the plate by {drift:.0} % of the control window; {most:.0} % is tolerated"
        ));
    }
    if exceeds(missing_fraction, qc.maximum_missing_fraction) {
        let [missing, most] = [missing_fraction, qc.maximum_missing_fraction].map(|x| 100.0 * x);
        reasons.push(format!(
            "{missing:.1} % of the wells were not read or not rightly filled; {most:.1} % is tolerated"
        ));
    }
    let verdict = if reasons.is_empty() { Verdict::Pass } else { Verdict::Fail };
    let (negative, positive) = (plate.negative, plate.positive);
    Judgement { verdict, reasons, z_prime, control_drift, missing_fraction, negative, positive }
}

/// Also when one of them is no number: such a plate fails.
fn exceeds(value: f64, limit: f64) -> bool {
    value.partial_cmp(&limit).is_none_or(Ordering::is_gt)
}

/// Why there is no Z'-factor.
fn control_reasons(plate: &Normalised) -> Vec<String> {
    let mut reasons = Vec::new();
    for (name, control) in [("negative", plate.negative), ("positive", plate.positive)] {
        if control.n < 2 {
            reasons
                .push(format!("{} of the {name} control's wells can be used; two are the least", control.n));
        }
    }
    if reasons.is_empty() && plate.window().is_none() {
        reasons.push(
            "the positive control reads like the negative one: there is no window to measure in".to_owned(),
        );
    }
    reasons
}

/// `1 - 3 (sd_positive + sd_negative) / |mean_positive - mean_negative|` (Zhang, Chung & Oldenburg, J. Biomol.
/// Screen. 4:67, 1999, eq. 4); with robust statistics, medians and scaled deviations in their place.
fn z_prime(plate: &Normalised) -> Option<f64> {
    let spread = plate.negative.sd? + plate.positive.sd?;
    Some(1.0 - 3.0 * spread / plate.window()?.abs()).filter(|z| z.is_finite())
}

/// The larger of two slopes of the normalised negative control, by least squares: over columns times the
/// plate's width, over rows times its height. In units of the control window by construction.
fn control_drift(format: PlateFormat, plate: &Normalised, roles: &BTreeMap<Well, Role>) -> Option<f64> {
    let negative = plate.values.iter().filter(|(well, _)| roles.get(well) == Some(&Role::NegativeControl));
    let negative: Vec<(Well, f64)> = negative.map(|(well, value)| (*well, *value)).collect();
    if negative.len() < 3 {
        return None;
    }
    let across = |position: fn(Well) -> u8, last: u8| {
        let points: Vec<(f64, f64)> = negative.iter().map(|(w, v)| (f64::from(position(*w)), *v)).collect();
        // What is too large for a number is the largest drift there is, never none.
        let drift = |slope: f64| Some((slope * f64::from(last)).abs()).filter(|drift| drift.is_finite());
        slope(&points).map(|slope| drift(slope).unwrap_or(f64::MAX))
    };
    let columns = across(Well::column, format.columns() - 1);
    let rows = across(Well::row, format.rows() - 1);
    [columns, rows].into_iter().flatten().max_by(f64::total_cmp)
}

/// Least squares; `None` when all points stand at one place.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let [mean_x, mean_y] =
        [points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n];
    let xx: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let xy: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (xx > 0.0).then(|| xy / xx)
}

fn missing_fraction(usable: &BTreeMap<Well, f64>, roles: &BTreeMap<Well, Role>) -> f64 {
    if roles.is_empty() {
        return 1.0;
    }
    let missing =
        roles.keys().filter(|well| !usable.get(well).is_some_and(|value| value.is_finite())).count();
    // Not `1 - there / all`: 3 of 10 must be exactly the 0.3 that a campaign tolerates.
    missing as f64 / roles.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::normalise::normalise;
    use super::*;

    const QC: Qc =
        Qc { minimum_z_prime: 0.4, maximum_control_drift: 0.3, maximum_missing_fraction: 0.1, robust: false };

    fn judged(values: &[(&str, Role, f64)]) -> Judgement {
        let well = |name: &str| -> Well { name.parse().unwrap() };
        let readings: BTreeMap<Well, f64> =
            values.iter().map(|(name, _, value)| (well(name), *value)).collect();
        let roles = values.iter().map(|(name, role, _)| (well(name), *role)).collect();
        judge(&QC, PlateFormat::Wells96, &normalise(&readings, &roles, false), &readings, &roles)
    }

    use Role::{NegativeControl as N, PositiveControl as P, Sample as S};

    #[test]
    fn the_z_prime_factor_is_zhangs() {
        // Negative 10 +- 2, positive 100 +- 10: 1 - 3 x 12 / 90 = 0.6.
        let plate = judged(&[
            ("A1", N, 8.0),
            ("B6", N, 12.0),
            ("A12", N, 10.0),
            ("H1", P, 90.0),
            ("G6", P, 110.0),
            ("H12", P, 100.0),
        ]);
        assert!((plate.z_prime.unwrap() - 0.6).abs() < 1e-12);
        assert_eq!(plate.missing_fraction, 0.0);
        assert_eq!((plate.verdict, plate.reasons.len()), (Verdict::Pass, 0));
        // Positive 100 +- 20: 1 - 3 x 22 / 90 = 0.2667.
        let plate = judged(&[
            ("A1", N, 8.0),
            ("B6", N, 12.0),
            ("A12", N, 10.0),
            ("H1", P, 80.0),
            ("G6", P, 120.0),
            ("H12", P, 100.0),
        ]);
        assert_eq!(plate.reasons, ["the Z'-factor is 0.27; at least 0.40 is asked"]);
    }

    #[test]
    fn a_control_that_drifts_over_the_columns_fails_though_its_z_prime_is_good() {
        // Over 12 columns from 0 to 44 where the window is 122 - 22 = 100: drift 0.44, sd 22, z' 0.34 (no),
        // so with a far positive: window 1000 - 22 = 978 and drift 44 / 978 = 0.045 passes.
        let ramp = |positive: f64| {
            judged(&[
                ("A1", N, 0.0),
                ("A12", N, 44.0),
                ("D1", N, 0.0),
                ("D12", N, 44.0),
                ("H1", P, positive),
                ("H2", P, positive),
            ])
        };
        assert!((ramp(1022.0).control_drift.unwrap() - 0.044).abs() < 1e-12);
        assert_eq!(ramp(1022.0).verdict, Verdict::Pass);
        let failed = ramp(152.0); // window 130: drift 0.338; sd 44 / sqrt(3) = 25.4, z' = 0.414.
        assert!((failed.z_prime.unwrap() - (1.0 - 3.0 * (44.0 / 3f64.sqrt()) / 130.0)).abs() < 1e-12);
        assert_eq!(
            failed.reasons,
            ["the negative control drifts across the plate by 34 % of the control window; 30 % is tolerated"]
        );
    }

    #[test]
    fn drift_is_seen_over_rows_too_and_counts_the_plates_height() {
        // 10 a row over rows A and C; seven steps of height: 70 / (1022 - 10).
        let plate =
            judged(&[("A1", N, 0.0), ("C1", N, 20.0), ("B1", N, 10.0), ("H1", P, 1010.0), ("H2", P, 1010.0)]);
        assert!((plate.control_drift.unwrap() - 0.07).abs() < 1e-12);
    }

    #[test]
    fn missing_wells_and_missing_controls_are_named() {
        let well = |name: &str| -> Well { name.parse().unwrap() };
        let roles: BTreeMap<Well, Role> =
            [("A1", N), ("A2", N), ("A3", P), ("A4", P), ("A5", S)].map(|(w, r)| (well(w), r)).into();
        let readings: BTreeMap<Well, f64> =
            [("A1", 0.0), ("A2", 0.0), ("A3", 1.0)].map(|(w, v)| (well(w), v)).into();
        let plate = judge(&QC, PlateFormat::Wells96, &normalise(&readings, &roles, false), &readings, &roles);
        assert_eq!(plate.z_prime, None);
        assert!((plate.missing_fraction - 0.4).abs() < 1e-12);
        assert_eq!(
            plate.reasons,
            [
                "1 of the positive control's wells can be used; two are the least",
                "40.0 % of the wells were not read or not rightly filled; 10.0 % is tolerated",
            ]
        );
    }

    #[test]
    fn equal_controls_fail_in_words() {
        let plate = judged(&[("A1", N, 5.0), ("A2", N, 5.0), ("A3", P, 5.0), ("A4", P, 5.0)]);
        assert_eq!(plate.verdict, Verdict::Fail);
        assert_eq!(
            plate.reasons,
            ["the positive control reads like the negative one: there is no window to measure in"]
        );
    }
}
