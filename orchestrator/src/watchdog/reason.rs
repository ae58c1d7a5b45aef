//! Why something does not move: a stable code, whose turn it is, and what to do, in words.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// People who approve.
    Approvers,
    /// Whoever is at the bench.
    Operator,
    /// Whoever runs the installation.
    Engineer,
    /// The process beside a device.
    Agent,
    /// The process that trains and proposes.
    Learner,
    /// The service itself.
    Engine,
    /// Time: a tick, a `not_before`, an incubation.
    Calendar,
}

impl Owner {
    pub fn as_str(self) -> &'static str {
        match self {
            Owner::Approvers => "approvers",
            Owner::Operator => "operator",
            Owner::Engineer => "engineer",
            Owner::Agent => "agent",
            Owner::Learner => "learner",
            Owner::Engine => "engine",
            Owner::Calendar => "calendar",
        }
    }
}

/// One reason why something does not move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = WaitReason)]
pub struct Reason {
    /// Stable: `job.instrument_maintenance`.
    pub code: String,
    pub owner: Owner,
    /// What it waits for: "waits for capability read.plate: reader-1 in maintenance until 14:00".
    pub words: String,
    /// What to do about it; empty when nothing needs to be done.
    pub to_do: String,
    /// Since when (real time), where that is known.
    pub since: Option<DateTime<Utc>>,
}

impl Reason {
    pub fn new(code: &str, owner: Owner, words: impl Into<String>) -> Self {
        Self { code: code.to_owned(), owner, words: words.into(), to_do: String::new(), since: None }
    }

    pub fn to_do(self, what: impl Into<String>) -> Self {
        Self { to_do: what.into(), ..self }
    }

    pub fn since(self, at: impl Into<Option<DateTime<Utc>>>) -> Self {
        Self { since: at.into(), ..self }
    }
}

/// An instant, as people read it.
pub(super) fn at(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M UTC").to_string()
}
