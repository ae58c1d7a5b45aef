//! Shadow scoring: earlier versions of a model, asked about what was measured after them.

use crate::blob::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An earlier version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Shadow {
    pub checkpoint: Digest,
    /// What it was trained on; `None`: priors alone.
    pub data_cut: Option<Digest>,
}

/// An earlier version and the new one on the same rows: those measured since the earlier one was trained. The new one
/// speaks of each by a fold that did not see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShadowScore {
    /// Of the earlier version.
    pub checkpoint: Digest,
    pub rows: u64,
    pub shadow: Scores,
    pub new: Scores,
    /// Standard error of the mean difference of the values' log scores, row by row; absent of one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_error: Option<f64>,
}

/// Means over rows, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scores {
    /// Of the value, in units of the spread of the new data cut.
    pub log_score: f64,
    /// Of the hit call.
    pub hit_log_score: f64,
    /// Share of values inside the central 90 % interval.
    pub coverage_90: f64,
}
