//! A job ends: outcome, settlement, event, and everybody who waited for it, in one transaction.
//!
//! The caller has taken the job out of the table that held it.

use super::create::dependency_failed;
use super::dependents;
use crate::ids::{ActorId, PlateId, RoundId, SYSTEM};
use crate::store::error::{Error, Result};
use crate::store::events::{self, NewEvent};
use ::jobs::state::State;
use ::jobs::work::Kind;
use ::jobs::{Failure, JobId};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::{BTreeSet, VecDeque};

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// `output` is an [`::jobs::work::Output`] as JSON; `None` when a person said that it was done.
    Succeeded {
        output: Option<Value>,
    },
    Failed(Failure),
    Cancelled,
    PlateLost,
}

impl Ending {
    pub fn state(&self) -> State {
        match self {
            Ending::Succeeded { .. } => State::Succeeded,
            Ending::Failed(_) => State::Failed,
            Ending::Cancelled => State::Cancelled,
            Ending::PlateLost => State::PlateLost,
        }
    }

    fn event_kind(&self) -> &'static str {
        match self {
            Ending::Succeeded { .. } => "JobSucceeded",
            Ending::Failed(_) => "JobFailed",
            Ending::Cancelled => "JobCancelled",
            Ending::PlateLost => "JobPlateLost",
        }
    }
}

/// Who ended it, and why.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    /// In the event.
    pub actor: ActorId,
    /// Settled a job in doubt as a person: what workers say later changes nothing.
    pub as_person: bool,
    pub reason: Option<String>,
    pub replaced_by: Option<JobId>,
}

impl Decided {
    /// By a worker's report, or by the queue's own rules.
    pub fn by_the_queue(actor: ActorId) -> Self {
        Self { actor, as_person: false, reason: None, replaced_by: None }
    }
}

/// What a command did beyond its own job. After the commit it goes to the wake-ups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// Queues that got work.
    pub queues: BTreeSet<String>,
    /// Jobs that ended and wait in `settlement` for the engine.
    pub settled: Vec<JobId>,
}

impl Consequences {
    pub(super) fn ready(queue: &str) -> Self {
        Self { queues: BTreeSet::from([queue.to_owned()]), settled: Vec::new() }
    }

    /// What was paused may be given out again: whoever waits for work looks.
    pub fn looked_at_again() -> Self {
        let queues = ["learner", "predict", "bench", "people"].map(str::to_owned);
        Self { queues: BTreeSet::from(queues), settled: Vec::new() }
    }

    /// Adds those of another command of the same transaction.
    pub fn absorb(&mut self, other: Consequences) {
        self.queues.extend(other.queues);
        self.settled.extend(other.settled);
    }

    /// Nothing for anybody to wake up for.
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.settled.is_empty()
    }
}

/// Ends `job`, and with it whoever can now never be done.
pub(super) async fn settle(
    conn: &mut PgConnection,
    job: JobId,
    ending: &Ending,
    decided: Decided,
) -> Result<Consequences> {
    let mut consequences = Consequences::default();
    let mut ended = VecDeque::from([(job, ending.clone(), decided)]);
    while let Some((job, ending, decided)) = ended.pop_front() {
        if record(conn, job, &ending, &decided).await? {
            consequences.settled.push(job);
        }
        let succeeded = ending.state() == State::Succeeded;
        let advanced = dependents::advance(conn, job, succeeded).await?;
        consequences.queues.extend(advanced.queues);
        let failed = Ending::Failed(dependency_failed(job));
        let with_it =
            advanced.impossible.into_iter().map(|id| (id, failed.clone(), Decided::by_the_queue(SYSTEM)));
        ended.extend(with_it);
    }
    Ok(consequences)
}

/// Whether the loop has anything to do when a job of this kind ends. Nothing follows from what a person or another
/// program asked of a device: whoever asked reads the outcome.
pub(super) fn is_drawn(kind: Kind, round: Option<RoundId>) -> bool {
    round.is_some() || matches!(kind, Kind::Train | Kind::Propose | Kind::Predict)
}

/// What the event says of a job that ended.
#[derive(Serialize)]
pub(super) struct Ended<'a> {
    pub kind: &'a str,
    pub round_id: Option<RoundId>,
    pub plate_id: Option<PlateId>,
    pub failure: Option<&'a Value>,
    pub reason: Option<&'a str>,
    pub replaced_by: Option<JobId>,
}

/// Answers whether the loop has consequences to draw.
async fn record(conn: &mut PgConnection, job: JobId, ending: &Ending, decided: &Decided) -> Result<bool> {
    let of = sqlx::query!(
        "select kind, campaign_id, round_id, plate_id from job where id = $1 for no key update",
        job.0
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or_else(|| Error::not_found("job", job))?;
    let kind: Kind = of.kind.parse().map_err(|error| Error::corrupt("kind", error))?;
    let round_id = of.round_id.map(RoundId);
    let drawn = is_drawn(kind, round_id);
    let (output, failure) = match ending {
        Ending::Succeeded { output } => (output.as_ref(), None),
        Ending::Failed(failure) => (None, Some(json!(failure))),
        Ending::Cancelled | Ending::PlateLost => (None, None),
    };
    sqlx::query!(
        "with ended as (
             insert into job_outcome (job_id, state, output, failure, decided_by, settled_lab_at)
             values ($1, $2, $3, $4, $5, lab_now())
             returning job_id, state
         ),
         held as (
             insert into resource_held (job_id)
             select ended.job_id
             from ended
             join job on job.id = ended.job_id
             where ended.state <> 'succeeded' and job.resource is not null
         )
         insert into settlement (job_id)
         select job_id from ended where $6",
        job.0,
        ending.state().as_str(),
        output,
        failure,
        decided.as_person.then_some(decided.actor.0),
        drawn
    )
    .execute(&mut *conn)
    .await?;
    let ended = Ended {
        kind: &of.kind,
        round_id,
        plate_id: of.plate_id.map(PlateId),
        failure: failure.as_ref(),
        reason: decided.reason.as_deref(),
        replaced_by: decided.replaced_by,
    };
    let event = NewEvent {
        kind: ending.event_kind(),
        subject: "job",
        subject_id: job.to_string(),
        campaign_id: of.campaign_id.map(Into::into),
        actor: decided.actor,
        body: json!(ended),
    };
    events::append(conn, &event).await?;
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_draws_what_belongs_to_it() {
        let round = Some(RoundId::fresh());
        for kind in Kind::ALL {
            assert!(is_drawn(kind, round), "{kind}");
        }
        let alone: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| is_drawn(*kind, None)).collect();
        assert_eq!(alone, [Kind::Train, Kind::Propose, Kind::Predict]);
    }
}
