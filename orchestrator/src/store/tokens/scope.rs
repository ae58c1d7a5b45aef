//! What a token may open. A route names the scopes that open it; no scope implies another.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Pull and report the work of devices.
    #[serde(rename = "work:bench")]
    WorkBench,
    /// Pull and report the work of learners.
    #[serde(rename = "work:learn")]
    WorkLearn,
    /// Pull and report the work of hands.
    #[serde(rename = "work:people")]
    WorkPeople,
    /// See everything that is not a secret.
    #[serde(rename = "read")]
    Read,
    /// Make, change, pause and cancel campaigns.
    #[serde(rename = "campaign:write")]
    CampaignWrite,
    /// Add and remove experiments of a batch.
    #[serde(rename = "batch:edit")]
    BatchEdit,
    /// Approve or reject a batch.
    #[serde(rename = "batch:approve")]
    BatchApprove,
    /// Release, repeat or give up a plate.
    #[serde(rename = "plate:decide")]
    PlateDecide,
    /// Stop jobs, and say what happened to those in doubt.
    #[serde(rename = "job:resolve")]
    JobResolve,
    /// Enter and withdraw stock.
    #[serde(rename = "inventory:write")]
    InventoryWrite,
    /// Register instruments, put them in and out of service.
    #[serde(rename = "instrument:write")]
    InstrumentWrite,
    /// Make users, projects and tokens; grant roles.
    #[serde(rename = "admin")]
    Admin,
    /// Read `/metrics`, and nothing else.
    #[serde(rename = "metrics")]
    Metrics,
}

impl Scope {
    pub const ALL: [Scope; 13] = [
        Scope::WorkBench,
        Scope::WorkLearn,
        Scope::WorkPeople,
        Scope::Read,
        Scope::CampaignWrite,
        Scope::BatchEdit,
        Scope::BatchApprove,
        Scope::PlateDecide,
        Scope::JobResolve,
        Scope::InventoryWrite,
        Scope::InstrumentWrite,
        Scope::Admin,
        Scope::Metrics,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::WorkBench => "work:bench",
            Scope::WorkLearn => "work:learn",
            Scope::WorkPeople => "work:people",
            Scope::Read => "read",
            Scope::CampaignWrite => "campaign:write",
            Scope::BatchEdit => "batch:edit",
            Scope::BatchApprove => "batch:approve",
            Scope::PlateDecide => "plate:decide",
            Scope::JobResolve => "job:resolve",
            Scope::InventoryWrite => "inventory:write",
            Scope::InstrumentWrite => "instrument:write",
            Scope::Admin => "admin",
            Scope::Metrics => "metrics",
        }
    }

    /// The scope whose holder may pull from `queue`.
    pub fn of_queue(queue: &str) -> Option<Scope> {
        match queue {
            "bench" => Some(Scope::WorkBench),
            "learner" | "predict" => Some(Scope::WorkLearn),
            "people" => Some(Scope::WorkPeople),
            _ => None,
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no scope.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a scope")]
pub struct NotAScope(String);

impl std::str::FromStr for Scope {
    type Err = NotAScope;
    fn from_str(word: &str) -> Result<Self, NotAScope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == word).ok_or_else(|| NotAScope(word.to_owned()))
    }
}
