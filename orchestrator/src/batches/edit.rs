//! Edits of a waiting batch: take an experiment out (the next best takes its place), or put one in by hand.
//! Each moves the revision, and the engine drafts the plan anew.

use super::{Event, State};
use crate::ids::{ActorId, BatchId, ProposalId};
use crate::rounds;
use crate::store::batches::{Batch, Change};
use crate::store::proposals::{Origin, Proposal, Status};
use crate::store::{self, Result};
use jobs::Experiment;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// How an edit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// `replaced_by`: the runner-up that took the place of a removed one.
    Done {
        revision: u32,
        replaced_by: Option<Experiment>,
    },
    NotFound,
    /// Somebody else edited it meanwhile: look again.
    RevisionChanged {
        now: u32,
    },
    NotAwaiting {
        state: State,
    },
    /// It is in the batch, or was removed from it, already.
    AlreadyDone,
    /// The experiment is not of this campaign's pool.
    NotInPool,
    /// The round is held: resume it first.
    RoundHeld,
}

/// Takes `proposal` out of the batch, for `reason`.
pub async fn remove(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    proposal: ProposalId,
    reason: &str,
    actor: ActorId,
) -> Result<Edited> {
    let mut tx = conn.begin().await?;
    let answer = remove_in(&mut tx, id, revision, proposal, reason, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn remove_in(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    proposal: ProposalId,
    reason: &str,
    actor: ActorId,
) -> Result<Edited> {
    let batch = match open(conn, id, revision).await? {
        Ok(batch) => batch,
        Err(refused) => return Ok(refused),
    };
    let proposals = store::proposals::of_batch(conn, id).await?;
    let Some(removed) = proposals.iter().find(|p| p.id == proposal) else { return Ok(Edited::NotFound) };
    if removed.status != Status::Selected {
        return Ok(Edited::AlreadyDone);
    }
    store::proposals::edit(conn, proposal, Status::Removed, Some(reason), actor).await?;
    let next = proposals.iter().find(|p| p.status == Status::RunnerUp);
    if let Some(next) = next {
        store::proposals::edit(conn, next.id, Status::Selected, None, actor).await?;
    }
    let replaced_by = next.map(|next| next.experiment.clone());
    let note = json!({"removed": removed.experiment, "reason": reason, "replaced_by": replaced_by});
    edited(conn, batch, note, replaced_by, actor).await
}

/// Puts `experiment` into the batch, for `reason`; its prediction is looked up in the round's posterior.
pub async fn add(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    experiment: &Experiment,
    reason: &str,
    actor: ActorId,
) -> Result<Edited> {
    let mut tx = conn.begin().await?;
    let answer = add_in(&mut tx, id, revision, experiment, reason, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn add_in(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    experiment: &Experiment,
    reason: &str,
    actor: ActorId,
) -> Result<Edited> {
    let batch = match open(conn, id, revision).await? {
        Ok(batch) => batch,
        Err(refused) => return Ok(refused),
    };
    let proposals = store::proposals::of_batch(conn, id).await?;
    let known = proposals.iter().find(|p| p.experiment == *experiment);
    match known {
        Some(known) if known.status == Status::Selected => return Ok(Edited::AlreadyDone),
        Some(known) => store::proposals::edit(conn, known.id, Status::Selected, None, actor).await?,
        None => {
            let Some(predicted) = store::predictions::of(conn, batch.round_id, experiment).await? else {
                return Ok(Edited::NotInPool);
            };
            let rank = proposals.iter().map(|p| p.rank).max().unwrap_or(0) + 1;
            store::proposals::insert(conn, &[by_hand(&batch, rank, predicted, reason, actor)]).await?;
        }
    }
    let note = json!({"added": experiment, "reason": reason});
    edited(conn, batch, note, None, actor).await
}

fn by_hand(
    batch: &Batch,
    rank: u32,
    predicted: store::predictions::Predicted,
    reason: &str,
    actor: ActorId,
) -> Proposal {
    Proposal {
        id: ProposalId::fresh(),
        batch_id: batch.id,
        rank,
        origin: Origin::Person,
        status: Status::Selected,
        experiment: predicted.experiment,
        prediction: Some(predicted.prediction),
        score: Some(predicted.score),
        reason: reason.to_owned(),
        removed_reason: None,
        edited_by: Some(actor),
        fate: None,
        fate_reason: None,
    }
}

/// The batch, when it may be edited at this revision.
async fn open(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
) -> Result<std::result::Result<Batch, Edited>> {
    let Some((round, batch)) = super::lock(conn, id).await? else { return Ok(Err(Edited::NotFound)) };
    Ok(if batch.state != State::AwaitingApproval {
        Err(Edited::NotAwaiting { state: batch.state })
    } else if batch.revision != revision {
        Err(Edited::RevisionChanged { now: batch.revision })
    } else if matches!(round.state, rounds::State::Held(_)) {
        Err(Edited::RoundHeld)
    } else {
        Ok(batch)
    })
}

async fn edited(
    conn: &mut PgConnection,
    mut batch: Batch,
    note: Value,
    replaced_by: Option<Experiment>,
    actor: ActorId,
) -> Result<Edited> {
    let change = Change { note, ..Change::default() };
    store::batches::apply(conn, &mut batch, Event::Edited, change, actor).await?.must()?;
    Ok(Edited::Done { revision: batch.revision, replaced_by })
}
