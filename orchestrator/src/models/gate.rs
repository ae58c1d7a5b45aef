//! The promotion gate: pure. No model without evidence: one is promoted when it is not worse on held-out data
//! than the one in use, and is calibrated. What was not measured is no evidence: then the one in use stays.
//!
//! Two exceptions, both said in the decision: the first version has nothing to be compared with; and a version in
//! use that was never measured (trained from priors, or from a handful of rows) is taken to know no more than a
//! forecast that says mean and spread of everything alike.

use jobs::work::learn::ModelMetrics;
use jobs::work::shadow::ShadowScore;

/// How much lower the held-out log score may be (nats per observation): folds of some dozen rows differ
/// by this much with the seed alone.
pub const LOG_SCORE_TOLERANCE: f64 = 0.25;
/// Coverage of the central 90 % interval that counts as calibrated.
pub const COVERAGE_90: std::ops::RangeInclusive<f64> = 0.75..=0.99;
/// Below so many held-out rows a coverage is noise: with 20 rows its standard error is .07.
pub const ROWS_FOR_COVERAGE: u64 = 20;

/// Log score of the forecast that knows mean and spread and nothing else, in standardised units:
/// -(ln(2 pi) + 1) / 2.
pub const KNOWS_NOTHING: f64 = -1.418_938_533_204_672_7;

/// How much lower than that it may be. More than between versions: the heavy tails of a screen cost every Gaussian
/// forecast some tenths (a measured screen of T cells: 0.15 to 0.22 nats at 128 labels). What
/// this stops is a forecast that is badly sure of itself.
pub const NOTHING_TOLERANCE: f64 = 0.5;

/// From so many rows that both versions speak of without having learnt from them, those decide.
pub const ROWS_TO_COMPARE: u64 = 20;
/// On the same rows a new version may be worse by this much, or by two standard errors of the difference.
pub const COMPARED_TOLERANCE: f64 = 0.05;

/// What the gate says; the text is kept with the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Promote { because: String },
    Reject { because: String },
}

/// Judges `candidate` against the version in use: on the rows that were measured since that one was trained, where both
/// were `compared` on enough of them; else each on its own held-out folds.
pub fn judge(
    candidate: &ModelMetrics,
    in_use: Option<&ModelMetrics>,
    compared: Option<&ShadowScore>,
) -> Verdict {
    let Some(in_use) = in_use else {
        return Verdict::Promote { because: "the first version".to_owned() };
    };
    let Some(new) = candidate.held_out_log_score else {
        return Verdict::Reject {
            because: format!(
                "nothing speaks for it: its {} training rows are too few to hold any back",
                candidate.training_rows
            ),
        };
    };
    if let Some(coverage) = candidate.coverage_90
        && candidate.held_out_rows >= ROWS_FOR_COVERAGE
        && !COVERAGE_90.contains(&coverage)
    {
        return Verdict::Reject {
            because: format!(
                "its 90 % intervals cover {:.0} % of {} held-out rows; {:.0} % to {:.0} % are calibrated",
                coverage * 100.0,
                candidate.held_out_rows,
                COVERAGE_90.start() * 100.0,
                COVERAGE_90.end() * 100.0
            ),
        };
    }
    if let Some(compared) = compared.filter(|compared| compared.rows >= ROWS_TO_COMPARE) {
        return on_the_same_rows(compared);
    }
    let (old, tolerance, whose) = match in_use.held_out_log_score {
        Some(old) => (old, LOG_SCORE_TOLERANCE, "the version in use"),
        None => (
            KNOWS_NOTHING,
            NOTHING_TOLERANCE,
            "a forecast that knows nothing (the version in use was never measured)",
        ),
    };
    if new < old - tolerance {
        let because = format!("held-out log score {new:.3}, below {old:.3} of {whose}");
        return Verdict::Reject { because };
    }
    let rows = candidate.held_out_rows;
    let because = format!(
        "held-out log score {new:.3} on {rows} rows, {old:.3} of {whose}; calibrated as far as measured"
    );
    Verdict::Promote { because }
}

fn on_the_same_rows(compared: &ShadowScore) -> Verdict {
    let ShadowScore { rows, shadow, new, difference_error, .. } = compared;
    let (new, old) = (new.log_score, shadow.log_score);
    let tolerance = COMPARED_TOLERANCE.max(2.0 * difference_error.unwrap_or(0.0));
    let because = format!(
        "on {rows} rows measured since, log score {new:.3} by folds that did not see them, {old:.3} of the version in use"
    );
    if new < old - tolerance {
        return Verdict::Reject { because: format!("{because}: worse by more than {tolerance:.3}") };
    }
    Verdict::Promote { because }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::work::shadow::Scores;

    fn metrics(log_score: Option<f64>, coverage_90: Option<f64>, held_out_rows: u64) -> ModelMetrics {
        ModelMetrics { held_out_log_score: log_score, coverage_90, held_out_rows, ..Default::default() }
    }

    fn promoted(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Promote { .. })
    }

    #[test]
    fn the_first_version_is_promoted() {
        assert!(promoted(&judge(&metrics(None, None, 0), None, None)));
    }

    #[test]
    fn a_clearly_worse_log_score_is_rejected_and_a_slightly_worse_one_is_not() {
        let in_use = metrics(Some(-1.0), Some(0.9), 100);
        assert!(promoted(&judge(&metrics(Some(-1.2), Some(0.9), 100), Some(&in_use), None)));
        assert!(!promoted(&judge(&metrics(Some(-1.3), Some(0.9), 100), Some(&in_use), None)));
    }

    #[test]
    fn coverage_counts_only_when_there_are_rows_to_measure_it() {
        let in_use = metrics(Some(-1.0), None, 100);
        assert!(!promoted(&judge(&metrics(Some(-0.5), Some(0.5), 100), Some(&in_use), None)));
        assert!(!promoted(&judge(&metrics(Some(-0.5), Some(1.0), 100), Some(&in_use), None)));
        assert!(promoted(&judge(&metrics(Some(-0.5), Some(0.5), 5), Some(&in_use), None)));
    }

    #[test]
    fn a_version_that_was_not_measured_replaces_none() {
        for in_use in [metrics(Some(-1.0), None, 100), metrics(None, None, 0)] {
            assert!(!promoted(&judge(&metrics(None, None, 0), Some(&in_use), None)));
        }
    }

    #[test]
    fn one_that_was_never_measured_is_replaced_by_one_that_knows_no_less_than_nothing() {
        let in_use = metrics(None, None, 0);
        assert!(promoted(&judge(&metrics(Some(-1.1), Some(0.9), 12), Some(&in_use), None)));
        assert!(promoted(&judge(&metrics(Some(KNOWS_NOTHING - 0.4), Some(0.9), 12), Some(&in_use), None)));
        assert!(!promoted(&judge(&metrics(Some(KNOWS_NOTHING - 0.6), Some(0.9), 12), Some(&in_use), None)));
    }

    fn compared(rows: u64, new: f64, error: f64) -> ShadowScore {
        let of = |log_score| Scores { log_score, hit_log_score: -0.2, coverage_90: 0.9 };
        let checkpoint = jobs::Digest::of(b"old");
        ShadowScore { checkpoint, rows, shadow: of(-1.0), new: of(new), difference_error: Some(error) }
    }

    #[test]
    fn what_both_say_of_the_same_rows_decides_where_there_are_enough() {
        let (better, worse) = (metrics(Some(-0.5), Some(0.9), 100), metrics(Some(-1.6), Some(0.9), 100));
        let in_use = metrics(Some(-1.0), Some(0.9), 100);
        let by =
            |candidate, compared: &ShadowScore| promoted(&judge(candidate, Some(&in_use), Some(compared)));
        assert!(!by(&better, &compared(96, -1.2, 0.05)), "worse by four standard errors");
        assert!(by(&worse, &compared(96, -1.2, 0.12)), "within two");
        assert!(by(&worse, &compared(96, -0.9, 0.05)), "its folds are of harder rows");
        assert!(by(&better, &compared(19, -3.0, 0.05)) && !by(&worse, &compared(19, 3.0, 0.05)), "too few");
    }

    #[test]
    fn knowing_nothing_is_the_log_score_of_a_standard_normal_forecast_of_values_of_sd_one() {
        let closed_form = -0.5 * ((2.0 * std::f64::consts::PI).ln() + 1.0);
        assert!((KNOWS_NOTHING - closed_form).abs() < 1e-12);
    }
}
