//! The gate: what stands between a waiting batch and the robots. Approving asks it, the approver's page shows it,
//! and planning asks it once more before anything is dispatched.

use super::State;
use super::auto::AutoApproval;
use super::draft::Draft;
use super::tally::{Approver, Idle, Tally, is_idle};
use crate::campaigns::policy::Policy;
use crate::ids::{ActorId, SYSTEM};
use crate::rounds;
use crate::store::approvals::{Approval, Editor};
use crate::store::batches::Batch;
use crate::store::rounds::Round;
use crate::store::{self, Error, Result};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// What the gate looks at, for one revision.
#[derive(Clone, Debug)]
pub struct Gate {
    pub policy: Policy,
    /// People who approved this revision; the policy's own approval is none.
    pub approvers: Vec<Approver>,
    /// Of any revision.
    pub editors: Vec<Editor>,
    /// The policy approved this revision.
    by_policy: bool,
    lab_now: DateTime<Utc>,
}

/// Why somebody cannot approve now. Its words complete "You cannot approve it: ..".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    #[error("it is {}, no longer waiting", .0.as_str().replace('_', " "))]
    Decided(State),
    #[error("its round is held; resume the round first")]
    RoundHeld,
    #[error("its time was over at {since} (laboratory time); the round is about to be held, resume it then")]
    TimeOver { since: DateTime<Utc> },
    #[error("its plan is still being computed; look again in a moment")]
    NotDrafted,
    #[error("it cannot be carried out as it stands: {reason}. Edit it, or bring what is missing")]
    CannotBePlanned { reason: String },
    #[error("you approved this revision already")]
    SpokenAlready,
    #[error("you edited this batch; somebody who did not must approve it")]
    OwnEdit,
    #[error("what is missing is the word of people in another role: {missing}")]
    NoRole { missing: String },
    #[error("its policy asks people")]
    NotByPolicy,
}

impl Gate {
    /// The caller holds the round's lock, or only wants to show it.
    pub async fn read(conn: &mut PgConnection, round: &Round, batch: &Batch) -> Result<Self> {
        let version = store::campaigns::edition(conn, round.campaign_id, round.campaign_version)
            .await?
            .ok_or_else(|| Error::corrupt("campaign version of a round", round.id))?;
        Self::under(conn, version.spec.policy.clone(), batch).await
    }

    /// The same for a policy that was read before.
    pub async fn under(conn: &mut PgConnection, policy: Policy, batch: &Batch) -> Result<Self> {
        let verdicts = store::approvals::verdicts(conn, batch.id).await?;
        let editors = store::approvals::editors(conn, batch.id).await?;
        Ok(Self::of(policy, batch, &verdicts, editors, store::clock::lab_now(conn).await?))
    }

    /// The same from every verdict on the batch and everybody who edited it.
    pub fn of(
        policy: Policy,
        batch: &Batch,
        verdicts: &[Approval],
        editors: Vec<Editor>,
        lab_now: DateTime<Utc>,
    ) -> Self {
        let (system, people): (Vec<_>, Vec<_>) = verdicts
            .iter()
            .filter(|verdict| verdict.approves(batch.revision))
            .partition(|verdict| verdict.actor_id == SYSTEM);
        let approvers =
            people.into_iter().map(|it| Approver { actor: it.actor_id, roles: it.roles.clone() }).collect();
        Self { by_policy: policy.auto_approve && !system.is_empty(), policy, approvers, editors, lab_now }
    }

    /// How the approvals stand.
    pub fn tally(&self) -> Tally {
        Tally::of(&self.policy, &self.approvers, &self.editor_ids())
    }

    /// Whether what was said of this revision is what the policy asks for.
    pub fn is_open(&self) -> bool {
        self.by_policy || self.tally().is_complete()
    }

    /// Whether the policy approves it by itself; `None` while there is no plan.
    pub fn auto_approval(&self, batch: &Batch) -> Option<AutoApproval> {
        match &batch.draft {
            Some(Draft::Possible { summary, .. }) => {
                Some(AutoApproval::of(&self.policy, summary, !self.editors.is_empty()))
            }
            Some(Draft::Impossible { .. }) | None => None,
        }
    }

    /// Whether a waiting batch has waited for too long.
    pub fn time_over(&self, batch: &Batch) -> Option<DateTime<Utc>> {
        batch.expires_lab_at.filter(|over| batch.state == State::AwaitingApproval && *over <= self.lab_now)
    }

    /// Why `who` cannot approve this revision, if so.
    pub fn closed_to(&self, round: &rounds::State, batch: &Batch, who: &Approver) -> Option<Closed> {
        if let Some(closed) = self.closed_to_all(round, batch) {
            return Some(closed);
        }
        if who.actor == SYSTEM {
            return (self.auto_approval(batch) != Some(AutoApproval::Approves))
                .then_some(Closed::NotByPolicy);
        }
        if let Some(since) = self.time_over(batch) {
            return Some(Closed::TimeOver { since });
        }
        if self.approvers.iter().any(|approver| approver.actor == who.actor) {
            return Some(Closed::SpokenAlready);
        }
        is_idle(&self.policy, &self.approvers, &self.editor_ids(), who).map(|idle| match idle {
            Idle::OwnEdit => Closed::OwnEdit,
            Idle::NoRole => Closed::NoRole { missing: self.tally().in_words().unwrap_or_default() },
        })
    }

    fn closed_to_all(&self, round: &rounds::State, batch: &Batch) -> Option<Closed> {
        if batch.state != State::AwaitingApproval {
            return Some(Closed::Decided(batch.state));
        }
        if matches!(round, rounds::State::Held(_)) {
            return Some(Closed::RoundHeld);
        }
        match &batch.draft {
            None => Some(Closed::NotDrafted),
            Some(Draft::Impossible { reason, .. }) => {
                Some(Closed::CannotBePlanned { reason: reason.trim_end_matches('.').to_owned() })
            }
            Some(Draft::Possible { .. }) => None,
        }
    }

    fn editor_ids(&self) -> BTreeSet<ActorId> {
        self.editors.iter().map(|editor| editor.actor_id).collect()
    }
}
