//! Rejection: a person's no, with a reason. The round proposes anew, without what was excluded.

use super::{Event, State};
use crate::ids::{ActorId, BatchId, ProposalId};
use crate::rounds;
use crate::store::batches::{Change, Verdict};
use crate::store::proposals::Status;
use crate::store::{self, Result};
use sqlx::{Connection, PgConnection};

/// How a rejection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    Done,
    NotFound,
    /// Somebody edited it meanwhile: look again.
    RevisionChanged {
        now: u32,
    },
    NotAwaiting {
        state: State,
    },
    /// This actor has spoken on this revision already.
    AlreadyDone,
    /// The round is held: resume it first.
    RoundHeld,
}

/// Rejects `revision` of a batch. `exclude` names the proposals that must not come again in this round;
/// empty: none of the batch (a learner that is asked the same again answers the same).
pub async fn reject(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    reason: &str,
    exclude: &[ProposalId],
    actor: ActorId,
) -> Result<Rejected> {
    let mut tx = conn.begin().await?;
    let answer = reject_in(&mut tx, id, revision, reason, exclude, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn reject_in(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    reason: &str,
    exclude: &[ProposalId],
    actor: ActorId,
) -> Result<Rejected> {
    let Some((mut round, mut batch)) = super::lock(conn, id).await? else { return Ok(Rejected::NotFound) };
    match batch.state {
        State::AwaitingApproval => {}
        State::Rejected => return Ok(Rejected::AlreadyDone),
        state => return Ok(Rejected::NotAwaiting { state }),
    }
    if batch.revision != revision {
        return Ok(Rejected::RevisionChanged { now: batch.revision });
    }
    if matches!(round.state, rounds::State::Held(_)) {
        return Ok(Rejected::RoundHeld);
    }
    if !store::batches::add_verdict(conn, &batch, Verdict::Reject, Some(reason), actor).await? {
        return Ok(Rejected::AlreadyDone);
    }
    for proposal in store::proposals::of_batch(conn, id).await? {
        let excluded = exclude.is_empty() || exclude.contains(&proposal.id);
        if proposal.status == Status::Selected && excluded {
            store::proposals::edit(conn, proposal.id, Status::Removed, Some(reason), actor).await?;
        }
    }
    let change = Change { closed_reason: Some(reason.to_owned()), ..Change::default() };
    store::batches::apply(conn, &mut batch, Event::Rejected, change, actor).await?.must()?;
    store::rounds::apply(conn, &mut round, rounds::Event::BatchRejected, None, actor).await?.must()?;
    Ok(Rejected::Done)
}
