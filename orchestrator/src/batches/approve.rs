//! Approval: a person's (or the policy's) yes to one revision. The last one needed freezes the batch.

use super::draft::Draft;
use super::{Event, State, frozen};
use crate::ids::{ActorId, BatchId};
use crate::rounds;
use crate::store::batches::{Batch, Change, Verdict};
use crate::store::proposals::Status;
use crate::store::{self, Error, Result};
use jobs::Digest;
use serde_json::json;
use sqlx::{Connection, PgConnection};

/// How an approval ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approved {
    /// It was the last one needed: the batch is frozen, the engine plans it.
    Frozen {
        hash: Digest,
    },
    /// Kept; more people must approve.
    Recorded {
        approvals: u32,
        needed: u32,
    },
    /// This actor had approved this revision, or the batch is approved already.
    AlreadyDone,
    NotFound,
    /// Somebody edited it meanwhile: look again.
    RevisionChanged {
        now: u32,
    },
    NotAwaiting {
        state: State,
    },
    /// The draft plan is still being computed.
    NotDrafted,
    /// The draft cannot be carried out: edit the batch, or bring what is missing.
    CannotBePlanned {
        reason: String,
    },
    /// The round is held: resume it first.
    RoundHeld,
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
    let mut tx = conn.begin().await?;
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
    if let Some(refusal) = refuse(&round.state, &batch, revision) {
        return Ok(refusal);
    }
    let plan = match &batch.draft {
        None => return Ok(Approved::NotDrafted),
        Some(Draft::Impossible { reason, .. }) => {
            return Ok(Approved::CannotBePlanned { reason: reason.clone() });
        }
        Some(Draft::Possible { digest, .. }) => *digest,
    };
    if !store::batches::add_verdict(conn, &batch, Verdict::Approve, remark, actor).await? {
        return Ok(Approved::AlreadyDone);
    }
    let policy = policy(conn, &round).await?;
    let approvals = store::batches::approvals(conn, &batch).await?;
    let by_policy = policy.auto_approve && actor == crate::ids::SYSTEM;
    if approvals < policy.approvals && !by_policy {
        return Ok(Approved::Recorded { approvals, needed: policy.approvals });
    }
    let hash = freeze(conn, &batch, plan).await?;
    let note = json!({"plan_digest": plan, "layout_seed": batch.layout_seed, "by_policy": by_policy});
    let change = Change { frozen_hash: Some(hash), closed_reason: None, note };
    store::batches::apply(conn, &mut batch, Event::Approved, change, actor).await?.must()?;
    store::rounds::apply(conn, &mut round, rounds::Event::BatchApproved, None, actor).await?.must()?;
    store::tasks::close_for(conn, super::PLAN_DIFFERS_TASK, &batch.id.to_string(), actor).await?;
    Ok(Approved::Frozen { hash })
}

fn refuse(round: &rounds::State, batch: &Batch, revision: u32) -> Option<Approved> {
    match batch.state {
        State::AwaitingApproval => {}
        State::Approved | State::Planned if batch.revision == revision => return Some(Approved::AlreadyDone),
        state => return Some(Approved::NotAwaiting { state }),
    }
    if batch.revision != revision {
        return Some(Approved::RevisionChanged { now: batch.revision });
    }
    matches!(round, rounds::State::Held(_)).then_some(Approved::RoundHeld)
}

async fn policy(
    conn: &mut PgConnection,
    round: &store::rounds::Round,
) -> Result<crate::campaigns::spec::Policy> {
    let version = store::campaigns::version(conn, round.campaign_id, round.campaign_version)
        .await?
        .ok_or_else(|| Error::corrupt("campaign version of a round", round.id))?;
    Ok(version.spec.policy)
}

async fn freeze(conn: &mut PgConnection, batch: &Batch, plan: Digest) -> Result<Digest> {
    let proposals = store::proposals::of_batch(conn, batch.id).await?;
    let chosen: Vec<_> =
        proposals.iter().filter(|p| p.status == Status::Selected).map(|p| &p.experiment).collect();
    Ok(frozen::hash(&chosen, batch.layout_seed, plan))
}
