//! Why work did not succeed, and what may be done about it. Retry reads the class, never the text.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a failure means for the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// May pass when tried again (network, device busy).
    Transient,
    /// Will fail again the same way (bad picklist, unknown labware).
    Permanent,
    /// Someone must look before anything else happens (unknown physical outcome).
    NeedsPerson,
    /// A defect of ours.
    Bug,
}

/// A failure as reported by a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    pub class: FailureClass,
    /// Stable, documented, e.g. `opentrons.run_outcome_unknown`.
    pub code: String,
    /// What happened and what to do next, in a sentence or two.
    pub message: String,
}

impl Failure {
    /// A failure of `class` with a stable `code` and a sentence for the operator.
    pub fn new(class: FailureClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into() }
    }
}
