//! How the approval of a batch stands, for whoever asks.

use crate::api::access::Caller;
use crate::api::problem::Problem;
use crate::batches::State as BatchState;
use crate::batches::auto::AutoApproval;
use crate::batches::gate::Gate;
use crate::batches::tally::Approver;
use crate::campaigns::policy::Policy;
use crate::ids::{CampaignId, ProjectId};
use crate::store::batches::Batch;
use crate::store::rounds::Round;
use crate::store::tokens::Scope;
use crate::store::{approvals, campaigns};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::BTreeMap;
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

/// Reads the standing of batches for one caller; what batches of one campaign share is read once.
pub(super) struct Standings<'a> {
    caller: &'a Caller,
    policies: BTreeMap<(CampaignId, u32), Policy>,
    roles: BTreeMap<CampaignId, Vec<String>>,
}

impl<'a> Standings<'a> {
    pub fn of(caller: &'a Caller) -> Self {
        Self { caller, policies: BTreeMap::new(), roles: BTreeMap::new() }
    }

    pub async fn read(
        &mut self,
        conn: &mut PgConnection,
        project: ProjectId,
        round: &Round,
        batch: &Batch,
    ) -> Result<ApprovalStanding, Problem> {
        let policy = self.policy(conn, round).await?;
        let gate = Gate::under(conn, policy, batch).await?;
        let why_not = self.why_not(conn, &gate, project, round, batch).await?;
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
        Ok(ApprovalStanding {
            needed: tally.needed,
            given: tally.given,
            roles: tally.roles.iter().map(role).collect(),
            missing: tally.in_words().filter(|_| waits),
            asked_because,
            may_approve: why_not.is_none(),
            why_not,
            expires_lab_at: batch.expires_lab_at.filter(|_| waits),
            editors: gate.editors.into_iter().map(|editor| editor.name).collect(),
        })
    }

    async fn why_not(
        &mut self,
        conn: &mut PgConnection,
        gate: &Gate,
        project: ProjectId,
        round: &Round,
        batch: &Batch,
    ) -> Result<Option<String>, Problem> {
        if self.caller.require_in(project, Scope::BatchApprove).is_err() {
            let missing =
                format!("you may not approve batches of this project ({} is missing)", Scope::BatchApprove);
            return Ok(Some(missing));
        }
        let roles = match self.roles.get(&batch.campaign_id) {
            Some(roles) => roles.clone(),
            None => {
                let roles = approvals::roles_of(conn, self.caller.id(), batch.campaign_id).await?;
                self.roles.insert(batch.campaign_id, roles.clone());
                roles
            }
        };
        let who = Approver { actor: self.caller.id(), roles };
        Ok(gate.closed_to(&round.state, batch, &who).map(|closed| closed.to_string()))
    }

    async fn policy(&mut self, conn: &mut PgConnection, round: &Round) -> Result<Policy, Problem> {
        let key = (round.campaign_id, round.campaign_version);
        if let Some(policy) = self.policies.get(&key) {
            return Ok(policy.clone());
        }
        let version = campaigns::version(conn, key.0, key.1)
            .await?
            .ok_or_else(|| Problem::not_found("campaign version", key.1))?;
        self.policies.insert(key, version.spec.policy.clone());
        Ok(version.spec.policy)
    }
}
