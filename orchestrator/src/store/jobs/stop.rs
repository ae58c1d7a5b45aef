//! Somebody asks to stop a job, or all jobs of a round.
//!
//! What nobody holds is cancelled at once. What somebody holds is asked to stop: the next heartbeat tells the
//! worker, and its report ends the job. A device's own button is the safety function; this is not.

use super::read::state_of;
use super::settle::{self, Consequences, Decided, Ending};
use crate::ids::{ActorId, CampaignId, RoundId};
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::{Error, Result};
use crate::store::events::{self, NewEvent};
use ::jobs::JobId;
use ::jobs::state::State;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// How a request to stop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nobody held it: it is cancelled.
    Cancelled(Consequences),
    /// Its worker will be told.
    Requested,
    /// Its worker had been told before.
    AlreadyDone,
    /// It has ended, or is in doubt: there is nothing to stop.
    Refused(State),
}

/// Between our looks it may move on by itself, at most from waiting over ready to leased; or be given back to ready.
const LOOKS: usize = 3;

/// Asks to stop one job, in a transaction of its own.
pub async fn stop(conn: &mut PgConnection, job: JobId, actor: ActorId, reason: &str) -> Result<Stopped> {
    steps::before(Step::StopJob).await;
    let mut tx = store::begin(conn).await?;
    for _ in 0..LOOKS {
        if ask(&mut tx, &[job.0], actor, reason).await? > 0 {
            steps::commit(tx, Step::StopJob).await?;
            return Ok(Stopped::Requested);
        }
        if !take_unheld(&mut tx, &[job.0]).await?.is_empty() {
            let ended = settle::settle(&mut tx, job, &Ending::Cancelled, because(actor, reason)).await?;
            steps::commit(tx, Step::StopJob).await?;
            return Ok(Stopped::Cancelled(ended));
        }
        match state_of(&mut tx, job).await?.ok_or_else(|| Error::not_found("job", job))? {
            State::Stopping => return Ok(Stopped::AlreadyDone),
            State::Waiting | State::Ready | State::Leased | State::Running => {}
            state => return Ok(Stopped::Refused(state)),
        }
    }
    Err(Error::Contended(sqlx::Error::RowNotFound))
}

/// What a stop of a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundStopped {
    pub consequences: Consequences,
    pub cancelled: usize,
    /// Held by workers, who will be told.
    pub requested: usize,
}

/// Asks to stop every job of a round, in the caller's transaction. Those in doubt stay in doubt.
pub async fn stop_round(
    conn: &mut PgConnection,
    round: RoundId,
    actor: ActorId,
    reason: &str,
) -> Result<RoundStopped> {
    steps::before(Step::StopRound).await;
    let mut tx = store::begin(conn).await?;
    let jobs = sqlx::query_scalar!("select id from job where round_id = $1 order by id", round.0)
        .fetch_all(&mut *tx)
        .await?;
    // All are taken out before any is settled: none fails with another, all are cancelled.
    let (mut unheld, mut requested) = (Vec::new(), 0);
    for look in 0..LOOKS {
        let taken = take_unheld(&mut tx, &jobs).await?;
        let asked = ask(&mut tx, &jobs, actor, reason).await?;
        let nothing = taken.is_empty() && asked == 0;
        unheld.extend(taken);
        requested += asked;
        if look > 0 && nothing {
            break;
        }
    }
    unheld.sort();
    let mut stopped = RoundStopped { cancelled: unheld.len(), requested, ..RoundStopped::default() };
    for job in unheld {
        let consequences = settle::settle(&mut tx, job, &Ending::Cancelled, because(actor, reason)).await?;
        stopped.consequences.absorb(consequences);
    }
    steps::commit(tx, Step::StopRound).await?;
    Ok(stopped)
}

fn because(actor: ActorId, reason: &str) -> Decided {
    Decided { reason: Some(reason.to_owned()), ..Decided::by_the_queue(actor) }
}

/// Takes out those that wait or are ready.
async fn take_unheld(conn: &mut PgConnection, jobs: &[Uuid]) -> Result<Vec<JobId>> {
    let waiting =
        sqlx::query_scalar!("delete from job_waiting where job_id = any($1) returning job_id", jobs)
            .fetch_all(&mut *conn)
            .await?;
    let ready = sqlx::query_scalar!("delete from job_ready where job_id = any($1) returning job_id", jobs)
        .fetch_all(conn)
        .await?;
    let mut taken: Vec<JobId> = waiting.into_iter().chain(ready).map(JobId).collect();
    taken.sort();
    Ok(taken)
}

/// Those that somebody holds will be told, in the caller's transaction. Answers how many were not told before.
pub async fn ask(conn: &mut PgConnection, jobs: &[Uuid], actor: ActorId, reason: &str) -> Result<usize> {
    let asked = sqlx::query!(
        "update lease
         set phase = 'stopping', stop_asked_at = now()
         from job
         where lease.job_id = any($1) and lease.phase in ('leased', 'running') and job.id = lease.job_id
         returning lease.job_id, job.campaign_id",
        jobs
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &asked {
        let event = NewEvent {
            kind: "JobStopRequested",
            subject: "job",
            subject_id: row.job_id.to_string(),
            campaign_id: row.campaign_id.map(CampaignId),
            actor,
            body: json!({"reason": reason}),
        };
        events::append(conn, &event).await?;
    }
    Ok(asked.len())
}
