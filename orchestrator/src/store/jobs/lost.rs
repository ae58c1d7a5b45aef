//! Reports under leases that this life of the database never gave: the work was done in a life that was lost.
//!
//! What robots did is not repeated: the job is put in doubt, with what the device said, and only a person takes it
//! out. What a learner did has no hands: its result is taken where the job is ready, else kept.

use super::doubt;
use super::held::{AttemptEnding, Held, Row};
use super::report::{Of, Testimony};
use super::verdict;
use crate::store::error::{Error, Result};
use crate::store::reconciliation::{self, Loss};
use ::jobs::state::{Event, State};
use ::jobs::wire::LeaseSummary;
use ::jobs::work::Outcome;
use ::jobs::{JobId, LeaseToken};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// What is to be done with the report.
pub(super) enum Lost {
    /// It changed what there was to change, or had nothing to change.
    Kept,
    /// The job is ready, and nothing physical is in it: the report settles it.
    Settles,
    /// Somebody works at the job in this life, or it is over: to be looked at like any other evidence.
    Evidence,
}

/// Whether no lease of this life had this token.
pub(super) async fn is_unknown(conn: &mut PgConnection, job: Uuid, token: LeaseToken) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select not exists (select from lease where job_id = $1 and lease_token = $2)
             and not exists (select from job_attempt where job_id = $1 and lease_token = $2)
             and not exists (select from job_report where job_id = $1 and lease_token = $2) as "unknown!""#,
        job,
        token.0
    )
    .fetch_one(conn)
    .await?)
}

/// Whether something may have moved.
pub(super) fn may_have_moved(lease: &LeaseSummary, outcome: &Outcome) -> bool {
    lease.work.kind().is_physical() && may_have_begun(lease, outcome)
}

fn may_have_begun(lease: &LeaseSummary, outcome: &Outcome) -> bool {
    lease.begun || matches!(outcome, Outcome::Succeeded { .. } | Outcome::Unknown { .. })
}

/// Takes the job out of the reach of everybody but people. A lease under which nothing began is no loss: a crash may
/// take one ([`super::lease`]).
pub(super) async fn take(
    conn: &mut PgConnection,
    of: &Of,
    testimony: &Testimony<'_>,
    lease: &LeaseSummary,
) -> Result<Lost> {
    if !may_have_begun(lease, testimony.outcome) {
        return Ok(Lost::Kept);
    }
    if lease.work.kind() != of.kind {
        // Whoever says so never had this job.
        return Ok(Lost::Evidence);
    }
    reconciliation::count(conn, Loss::Lease).await?;
    if !of.kind.is_physical() {
        let ready = sqlx::query_scalar!("select job_id from job_ready where job_id = $1 for update", of.id.0)
            .fetch_optional(&mut *conn)
            .await?;
        let settles = ready.is_some() && matches!(testimony.outcome, Outcome::Succeeded { .. });
        return Ok(if settles { Lost::Settles } else { Lost::Kept });
    }
    let doubted = put_in_doubt(conn, of.id, testimony, lease).await?;
    Ok(if doubted { Lost::Kept } else { Lost::Evidence })
}

/// Nobody is given the job any more, and only a person says what becomes of it. `false` when it is under way in
/// this life, or over.
pub(super) async fn put_in_doubt(
    conn: &mut PgConnection,
    job: JobId,
    testimony: &Testimony<'_>,
    lease: &LeaseSummary,
) -> Result<bool> {
    let Some(state) = take_out(conn, job.0).await? else { return Ok(false) };
    if state.next(Event::ReportedFromLostLife) != Ok(State::InDoubt) {
        return Err(Error::corrupt("job state", state.as_str()));
    }
    let attempt = record_attempt(conn, job, testimony, lease).await?;
    let known = json!({
        "why": "lost_life",
        "claims": verdict::claimed(testimony.outcome).as_str(),
        "failure": match testimony.outcome {
            Outcome::Failed { failure } | Outcome::Unknown { failure } => Some(failure),
            Outcome::Succeeded { .. } | Outcome::Stopped { .. } => None,
        },
        "worker": testimony.actor,
        "instrument": lease.instrument,
    });
    doubt::enter_from_lost_life(conn, job, testimony.token, attempt, known, testimony.actor).await?;
    Ok(true)
}

/// Takes the job out of where it waits to be done; `None` when it is somewhere else.
async fn take_out(conn: &mut PgConnection, job: Uuid) -> Result<Option<State>> {
    let waited = sqlx::query!("delete from job_waiting where job_id = $1", job).execute(&mut *conn).await?;
    if waited.rows_affected() > 0 {
        return Ok(Some(State::Waiting));
    }
    let ready = sqlx::query!("delete from job_ready where job_id = $1", job).execute(&mut *conn).await?;
    if ready.rows_affected() > 0 {
        return Ok(Some(State::Ready));
    }
    // Given away and not begun: whoever has it is told so when it begins.
    let leased = sqlx::query_as!(
        Row,
        "delete from lease
         where job_id = $1 and phase = 'leased'
         returning job_id, lease_token, worker, instrument, phase, attempt, leased_at, started_at,
             deadline_lab_at, progress",
        job
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(row) = leased {
        Held::try_from(row)?.end_attempt(conn, AttemptEnding::Released, false).await?;
        return Ok(Some(State::Leased));
    }
    let doubted = sqlx::query!("delete from job_in_doubt where job_id = $1", job).execute(conn).await?;
    Ok((doubted.rows_affected() > 0).then_some(State::InDoubt))
}

/// The attempt that this life did not see. Its times are not known here: when we heard of it stands for them.
async fn record_attempt(
    conn: &mut PgConnection,
    job: JobId,
    testimony: &Testimony<'_>,
    lease: &LeaseSummary,
) -> Result<i32> {
    let told = i32::try_from(lease.attempt).unwrap_or(i32::MAX);
    Ok(sqlx::query_scalar!(
        "insert into job_attempt (job_id, attempt, lease_token, worker, leased_at, started_at, ending)
         select $1, greatest($2, coalesce(max(attempt), 0) + 1), $3, $4, now(), now(), 'unknown'
         from job_attempt
         where job_id = $1
         returning attempt",
        job.0,
        told,
        testimony.token.0,
        testimony.actor.0
    )
    .fetch_one(conn)
    .await?)
}
