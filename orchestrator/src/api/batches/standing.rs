//! How the approval of a batch stands, for whoever asks.

use crate::api::access::Caller;
use crate::batches::State as BatchState;
use crate::batches::auto::AutoApproval;
use crate::batches::gate::Gate;
use crate::batches::tally::Approver;
use crate::ids::ProjectId;
use crate::store::batches::Batch;
use crate::store::rounds::Round;
use crate::store::tokens::Scope;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Who approved the present revision, and what is missing.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ApprovalStanding {
    /// Different people who must approve.
    pub needed: u32,
    pub given: u32,
    /// Of them, by role; one person fills one place.
    pub roles: Vec<RoleStanding>,
    /// What is missing, in words; null when nothing is.
    pub missing: Option<String>,
    /// Why people are asked although the policy approves batches by itself.
    pub asked_because: Option<String>,
    /// Whether your approval would be taken now.
    pub may_approve: bool,
    /// Why not, in words.
    pub why_not: Option<String>,
    /// Laboratory time at which the batch has waited too long; null: it waits for ever.
    pub expires_lab_at: Option<DateTime<Utc>>,
    /// Who added to the batch or removed from it: they cannot be its only approvers, unless the policy allows it.
    pub editors: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoleStanding {
    pub role: String,
    pub needed: u32,
    pub given: u32,
}

/// For whom a standing is told: the caller, and the roles that they have in the batch's project.
pub(super) struct Asking<'a> {
    pub caller: &'a Caller,
    pub roles: Vec<String>,
}

impl ApprovalStanding {
    pub fn of(gate: Gate, asking: &Asking<'_>, project: ProjectId, round: &Round, batch: &Batch) -> Self {
        let why_not = asking.why_not(&gate, project, round, batch);
        let waits = batch.state == BatchState::AwaitingApproval;
        let tally = gate.tally();
        let asked_because = match gate.auto_approval(batch) {
            Some(AutoApproval::AsksPeople { because }) if waits => Some(because),
            _ => None,
        };
        let role = |it: &crate::batches::tally::RoleTally| RoleStanding {
            role: it.role.to_owned(),
            needed: it.needed,
            given: it.given,
        };
        Self {
            needed: tally.needed,
            given: tally.given,
            roles: tally.roles.iter().map(role).collect(),
            missing: tally.in_words().filter(|_| waits),
            asked_because,
            may_approve: why_not.is_none(),
            why_not,
            expires_lab_at: batch.expires_lab_at.filter(|_| waits),
            editors: gate.editors.into_iter().map(|editor| editor.name).collect(),
        }
    }
}

impl Asking<'_> {
    fn why_not(&self, gate: &Gate, project: ProjectId, round: &Round, batch: &Batch) -> Option<String> {
        if self.caller.require_in(project, Scope::BatchApprove).is_err() {
            let missing =
                format!("you may not approve batches of this project ({} is missing)", Scope::BatchApprove);
            return Some(missing);
        }
        let who = Approver { actor: self.caller.id(), roles: self.roles.clone() };
        gate.closed_to(&round.state, batch, &who).map(|closed| closed.to_string())
    }
}
