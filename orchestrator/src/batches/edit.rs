//! Edits of a waiting batch: take an experiment out (the next best takes its place), or put one in by hand.
//! Each moves the revision, and the engine drafts the plan anew.

use super::instead::Room;
use super::{Event, State};
use crate::campaigns::membership;
use crate::ids::{ActorId, BatchId, ProposalId};
use crate::models::predict;
use crate::models::question::{Asked, Question};
use crate::rounds;
use crate::store::batches::{Batch, Change};
use crate::store::jobs::Consequences;
use crate::store::proposals::{Origin, Proposal, Status};
use crate::store::{self, Error, Result};
use ::jobs::{Experiment, JobId};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// How an edit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// `replaced_by`: the runner-up that took the place of a removed one.
    /// `prediction_job`: asked for the prediction of an added one that the posterior does not have.
    Done {
        revision: u32,
        replaced_by: Option<Experiment>,
        prediction_job: Option<JobId>,
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
    /// The experiment is not of this campaign's design space, and why.
    NotInPool {
        why: String,
    },
    /// The round is held: resume it first.
    RoundHeld,
}

/// Takes `proposal` out of the batch, for `reason`; the best runner-up that there is [`Room`] for takes its place.
pub async fn remove(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    proposal: ProposalId,
    reason: &str,
    actor: ActorId,
) -> Result<Edited> {
    let mut tx = store::begin(conn).await?;
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
    let next = instead(conn, &batch, &proposals, removed).await?;
    if let Some(next) = next {
        store::proposals::edit(conn, next.id, Status::Selected, None, actor).await?;
    }
    let replaced_by = next.map(|next| next.experiment.clone());
    let note = json!({"removed": removed.experiment, "reason": reason, "replaced_by": replaced_by});
    edited(conn, batch, note, Answer { replaced_by, ..Answer::default() }, actor).await
}

/// The best runner-up that there is room for.
async fn instead<'a>(
    conn: &mut PgConnection,
    batch: &Batch,
    proposals: &'a [Proposal],
    removed: &Proposal,
) -> Result<Option<&'a Proposal>> {
    if proposals.iter().all(|p| p.status != Status::RunnerUp) {
        return Ok(None);
    }
    let missing = || Error::corrupt("round of a batch", batch.id);
    let round = store::rounds::by_id(conn, batch.round_id).await?.ok_or_else(missing)?;
    let edition = store::campaigns::edition(conn, round.campaign_id, round.campaign_version).await?;
    let edition = edition.ok_or_else(missing)?;
    let taken = store::proposals::pending(conn, round.campaign_id, round.id).await?;
    let stays = proposals.iter().filter(|p| p.status == Status::Selected && p.id != removed.id);
    let room = Room::of(&edition.spec, stays.map(|p| &p.experiment), taken);
    let mut runners_up = proposals.iter().filter(|p| p.status == Status::RunnerUp);
    Ok(runners_up.find(|p| room.takes(&p.experiment, &removed.experiment)))
}

/// Puts `experiment` into the batch, for `reason`. Its prediction is looked up in the round's posterior; when it
/// is not there, a learner is asked, and its answer is filled in when it comes. After the commit, pass `out` to the
/// wake-ups.
pub async fn add(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    experiment: &Experiment,
    reason: &str,
    actor: ActorId,
    out: &mut Consequences,
) -> Result<Edited> {
    let mut tx = store::begin(conn).await?;
    let answer = add_in(&mut tx, id, revision, experiment, reason, actor, out).await?;
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
    out: &mut Consequences,
) -> Result<Edited> {
    let batch = match open(conn, id, revision).await? {
        Ok(batch) => batch,
        Err(refused) => return Ok(refused),
    };
    let proposals = store::proposals::of_batch(conn, id).await?;
    let known = proposals.iter().find(|p| p.experiment == *experiment);
    let mut prediction_job = None;
    match known {
        Some(known) if known.status == Status::Selected => return Ok(Edited::AlreadyDone),
        Some(known) => store::proposals::edit(conn, known.id, Status::Selected, None, actor).await?,
        None => {
            let predicted = store::predictions::of(conn, batch.round_id, experiment).await?;
            if predicted.is_none()
                && let Some(why) = why_not(conn, &batch, experiment).await?
            {
                return Ok(Edited::NotInPool { why });
            }
            let rank = proposals.iter().map(|p| p.rank).max().unwrap_or(0) + 1;
            let added = by_hand(&batch, rank, experiment, predicted.as_ref(), reason, actor);
            store::proposals::insert(conn, std::slice::from_ref(&added)).await?;
            if predicted.is_none() {
                prediction_job = ask(conn, &batch, &added, out).await?;
            }
        }
    }
    let note = json!({"added": experiment, "reason": reason, "prediction_job_id": prediction_job});
    edited(conn, batch, note, Answer { prediction_job, ..Answer::default() }, actor).await
}

/// Why the experiment is not of the round's design space, if so.
async fn why_not(conn: &mut PgConnection, batch: &Batch, experiment: &Experiment) -> Result<Option<String>> {
    let missing = || Error::corrupt("round of a batch", batch.id);
    let round = store::rounds::by_id(conn, batch.round_id).await?.ok_or_else(missing)?;
    let (campaign, version) = (round.campaign_id, round.campaign_version);
    let edition = store::campaigns::version(conn, campaign, version).await?.ok_or_else(missing)?;
    let unknown = store::genes::unknown(conn, campaign, version, experiment.perturbation.edits()).await?;
    Ok(membership::why_not(&edition.spec.design, experiment, &unknown))
}

/// Asks a learner for the prediction of what was added; `None` while no model is in use.
async fn ask(
    conn: &mut PgConnection,
    batch: &Batch,
    added: &Proposal,
    out: &mut Consequences,
) -> Result<Option<JobId>> {
    let unique_key = Some(format!("predict:proposal:{}", added.id));
    let question = Question { campaign: batch.campaign_id, version: None, unique_key };
    let asked = predict::ask(conn, question, vec![added.experiment.clone()]).await?;
    let Asked::Asked { job, consequences, .. } = asked else { return Ok(None) };
    store::proposals::await_prediction(conn, added.id, job).await?;
    out.absorb(consequences);
    Ok(Some(job))
}

fn by_hand(
    batch: &Batch,
    rank: u32,
    experiment: &Experiment,
    predicted: Option<&store::predictions::Predicted>,
    reason: &str,
    actor: ActorId,
) -> Proposal {
    Proposal {
        id: ProposalId::fresh(),
        batch_id: batch.id,
        rank,
        origin: Origin::Person,
        status: Status::Selected,
        experiment: experiment.clone(),
        prediction: predicted.map(|it| it.prediction),
        score: predicted.map(|it| it.score),
        readouts: Vec::new(),
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

#[derive(Default)]
struct Answer {
    replaced_by: Option<Experiment>,
    prediction_job: Option<JobId>,
}

async fn edited(
    conn: &mut PgConnection,
    mut batch: Batch,
    note: Value,
    answer: Answer,
    actor: ActorId,
) -> Result<Edited> {
    let change = Change { note, ..Change::default() };
    store::batches::apply(conn, &mut batch, Event::Edited, change, actor).await?.must()?;
    let Answer { replaced_by, prediction_job } = answer;
    Ok(Edited::Done { revision: batch.revision, replaced_by, prediction_job })
}
