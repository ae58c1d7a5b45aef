//! Whether a plate may train.

use super::normalise::ControlStatistics;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What QC says of a plate, with the numbers it says it from. Stored as the plate's `qc`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Judgement {
    pub verdict: Verdict,
    /// Why it failed, for people; empty when it passed.
    pub reasons: Vec<String>,
    /// `None` when the controls are too few or equal.
    pub z_prime: Option<f64>,
    /// Fitted change of the negative control across the plate as a fraction of the control window.
    pub control_drift: Option<f64>,
    /// Wells of the map without a reading or with a failed or short transfer.
    pub missing_fraction: f64,
    /// In the channel's own unit.
    pub negative: ControlStatistics,
    pub positive: ControlStatistics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
}
