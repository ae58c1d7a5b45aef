//! Approval: a person's (or the policy's) yes to one revision. The last one needed freezes the batch.

use super::draft::Draft;
use super::gate::{Closed, Gate};
use super::tally::{Approver, Tally};
use super::{Event, State, frozen};
use crate::ids::{ActorId, BatchId, SYSTEM};
use crate::rounds;
use crate::store::approvals::{self, Verdict};
use crate::store::batches::{Batch, Change};
use crate::store::proposals::{Proposal, Status};
use crate::store::rounds::Round;
use crate::store::{self, Result};
use jobs::Digest;
use serde_json::json;
use sqlx::PgConnection;

/// How an approval ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approved {
    /// It was the last one needed: the batch is frozen, the engine plans it.
    Frozen {
        hash: Digest,
    },
    /// Kept; more people must approve.
    Recorded {
        tally: Tally,
    },
    /// This actor had approved this revision, or the batch is approved already.
    AlreadyDone,
    NotFound,
    /// Somebody edited it meanwhile: look again.
    RevisionChanged {
        now: u32,
    },
    /// Nothing was kept, and why.
    Closed(Closed),
}

/// Approves `revision` of a batch as `actor`.
pub async fn approve(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    actor: ActorId,
) -> Result<Approved> {
    approve_with(conn, id, revision, None, actor).await
}

/// The same, with the approver's remark for the record.
pub async fn approve_with(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    remark: Option<&str>,
    actor: ActorId,
) -> Result<Approved> {
    let mut tx = store::begin(conn).await?;
    let answer = approve_in(&mut tx, id, revision, remark, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn approve_in(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    remark: Option<&str>,
    actor: ActorId,
) -> Result<Approved> {
    let Some((mut round, mut batch)) = super::lock(conn, id).await? else { return Ok(Approved::NotFound) };
    if batch.revision != revision && batch.state == State::AwaitingApproval {
        return Ok(Approved::RevisionChanged { now: batch.revision });
    }
    if batch.revision == revision && matches!(batch.state, State::Approved | State::Planned) {
        return Ok(Approved::AlreadyDone);
    }
    let gate = Gate::read(conn, &round, &batch).await?;
    let roles = approvals::roles_of(conn, actor, batch.campaign_id).await?;
    through(conn, &mut round, &mut batch, gate, Approver { actor, roles }, remark).await
}

/// The policy approves the batch as it stands. The caller holds the round's lock, and read the gate under it.
pub async fn approve_by_policy(
    conn: &mut PgConnection,
    round: &mut Round,
    batch: &mut Batch,
    gate: Gate,
) -> Result<Approved> {
    through(conn, round, batch, gate, Approver { actor: SYSTEM, roles: Default::default() }, None).await
}

/// `who` asks to approve the batch as it stands.
async fn through(
    conn: &mut PgConnection,
    round: &mut Round,
    batch: &mut Batch,
    mut gate: Gate,
    who: Approver,
    remark: Option<&str>,
) -> Result<Approved> {
    let actor = who.actor;
    match gate.closed_to(&round.state, batch, &who) {
        None => {}
        Some(Closed::SpokenAlready) => return Ok(Approved::AlreadyDone),
        Some(closed) => return Ok(Approved::Closed(closed)),
    }
    let Some(plan) = batch.draft.as_ref().and_then(Draft::digest) else {
        return Ok(Approved::Closed(Closed::NotDrafted));
    };
    if !approvals::add_verdict(conn, batch, Verdict::Approve, &who.roles, remark, actor).await? {
        return Ok(Approved::AlreadyDone);
    }
    let by_policy = actor == SYSTEM;
    if !by_policy {
        gate.approvers.push(who);
        let tally = gate.tally();
        if !tally.is_complete() {
            return Ok(Approved::Recorded { tally });
        }
    }
    let hash = hash(batch, &store::proposals::of_batch(conn, batch.id).await?, plan);
    let note = json!({"plan_digest": plan, "layout_seed": batch.layout_seed, "by_policy": by_policy});
    let change = Change { frozen_hash: Some(hash), closed_reason: None, note };
    store::batches::apply(conn, batch, Event::Approved, change, actor).await?.must()?;
    store::rounds::apply(conn, round, rounds::Event::BatchApproved, None, actor).await?.must()?;
    store::tasks::close_for(conn, super::PLAN_DIFFERS_TASK, &batch.id.to_string(), actor).await?;
    Ok(Approved::Frozen { hash })
}

/// The hash over what the batch holds now (`proposals`: all of it), with the plan of this digest.
pub fn hash(batch: &Batch, proposals: &[Proposal], plan: Digest) -> Digest {
    let chosen: Vec<_> =
        proposals.iter().filter(|p| p.status == Status::Selected).map(|p| &p.experiment).collect();
    frozen::hash(&chosen, batch.layout_seed, plan)
}
