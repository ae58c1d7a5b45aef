//! The promotion gate: pure. A model is promoted when it is not worse on held-out data than the one in
//! use, and is calibrated; what cannot be measured yet speaks neither for nor against.

use jobs::work::learn::ModelMetrics;

/// How much lower the held-out log score may be (nats per observation): folds of some dozen rows differ
/// by this much with the seed alone.
pub const LOG_SCORE_TOLERANCE: f64 = 0.25;
/// Coverage of the central 90 % interval that counts as calibrated.
pub const COVERAGE_90: std::ops::RangeInclusive<f64> = 0.75..=0.99;
/// Below so many held-out rows a coverage is noise: with 20 rows its standard error is .07.
pub const ROWS_FOR_COVERAGE: u64 = 20;

/// What the gate says; the text is kept with the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Promote { because: String },
    Reject { because: String },
}

/// Judges `candidate` against the metrics of the version in use (each on its own held-out folds).
pub fn judge(candidate: &ModelMetrics, in_use: Option<&ModelMetrics>) -> Verdict {
    let Some(in_use) = in_use else {
        return Verdict::Promote { because: "the first version".to_owned() };
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
    match (candidate.held_out_log_score, in_use.held_out_log_score) {
        (Some(new), Some(old)) if new < old - LOG_SCORE_TOLERANCE => Verdict::Reject {
            because: format!("held-out log score {new:.3}, below {old:.3} of the version in use"),
        },
        (Some(new), Some(old)) => Verdict::Promote {
            because: format!("held-out log score {new:.3}, in use {old:.3}; calibrated as far as measured"),
        },
        (None, Some(_)) => Verdict::Reject {
            because: "it reports no held-out log score, the version in use does".to_owned(),
        },
        (_, None) => {
            Verdict::Promote { because: "the version in use was never measured on held-out data".to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(log_score: Option<f64>, coverage_90: Option<f64>, held_out_rows: u64) -> ModelMetrics {
        ModelMetrics { held_out_log_score: log_score, coverage_90, held_out_rows, ..Default::default() }
    }

    fn promoted(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Promote { .. })
    }

    #[test]
    fn the_first_version_is_promoted() {
        assert!(promoted(&judge(&metrics(None, None, 0), None)));
    }

    #[test]
    fn a_clearly_worse_log_score_is_rejected_and_a_slightly_worse_one_is_not() {
        let in_use = metrics(Some(-1.0), Some(0.9), 100);
        assert!(promoted(&judge(&metrics(Some(-1.2), Some(0.9), 100), Some(&in_use))));
        assert!(!promoted(&judge(&metrics(Some(-1.3), Some(0.9), 100), Some(&in_use))));
    }

    #[test]
    fn coverage_counts_only_when_there_are_rows_to_measure_it() {
        let in_use = metrics(Some(-1.0), None, 100);
        assert!(!promoted(&judge(&metrics(Some(-0.5), Some(0.5), 100), Some(&in_use))));
        assert!(!promoted(&judge(&metrics(Some(-0.5), Some(1.0), 100), Some(&in_use))));
        assert!(promoted(&judge(&metrics(Some(-0.5), Some(0.5), 5), Some(&in_use))));
    }

    #[test]
    fn a_version_without_held_out_score_does_not_replace_one_that_has_it() {
        let in_use = metrics(Some(-1.0), None, 100);
        assert!(!promoted(&judge(&metrics(None, None, 0), Some(&in_use))));
    }
}
