//! Into doubt, and out of it: begun, and nobody knows how it ended.

use super::held::Held;
use crate::ids::ActorId;
use crate::store::error::{Error, Result};
use crate::store::events::{self, NewEvent};
use crate::store::tasks::{self, NewTask};
use ::jobs::{Failure, JobId, LeaseToken};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// Cause of the task that is open while a job is in doubt.
pub const TASK: &str = "job.in_doubt";

/// Why nobody knows.
pub(super) enum Why<'a> {
    LeaseExpired,
    /// The worker itself cannot say.
    Reported(&'a Failure),
}

/// The job of a lease taken out goes into doubt: row, event, and a task for a person.
pub(super) async fn enter(conn: &mut PgConnection, held: &Held, why: Why<'_>, actor: ActorId) -> Result<()> {
    let known = json!({
        "why": match why { Why::LeaseExpired => "lease_expired", Why::Reported(_) => "reported_unknown" },
        "failure": match why { Why::LeaseExpired => None, Why::Reported(failure) => Some(failure) },
        "progress": held.progress,
        "worker": held.worker,
        "instrument": held.instrument,
        "started_at": held.started_at,
    });
    sqlx::query!(
        "insert into job_in_doubt (job_id, lease_token, attempt, known) values ($1, $2, $3, $4)",
        held.job_id.0,
        held.lease_token.0,
        held.attempt,
        known
    )
    .execute(&mut *conn)
    .await?;
    tell(conn, held.job_id, known, actor, "began, and nobody knows how it ended").await
}

/// A job that was done in a life of the database that was lost: only a person takes it out of doubt.
pub(super) async fn enter_from_lost_life(
    conn: &mut PgConnection,
    job: JobId,
    token: LeaseToken,
    attempt: i32,
    known: Value,
    actor: ActorId,
) -> Result<()> {
    sqlx::query!(
        "insert into job_in_doubt (job_id, lease_token, attempt, known, awaits_person)
         values ($1, $2, $3, $4, true)",
        job.0,
        token.0,
        attempt,
        known
    )
    .execute(&mut *conn)
    .await?;
    let claims = known.get("claims").and_then(Value::as_str).unwrap_or("in_doubt").replace('_', " ");
    let what = format!("was worked on in a life of the database that was lost (the worker says: {claims})");
    tell(conn, job, known, actor, &what).await
}

async fn tell(conn: &mut PgConnection, job: JobId, known: Value, actor: ActorId, what: &str) -> Result<()> {
    let of = sqlx::query!(
        "select kind, instrument, campaign_id, round_id, plate_id from job where id = $1",
        job.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let campaign_id = of.campaign_id.map(Into::into);
    let on = of.instrument.map(|name| format!(" on {name}")).unwrap_or_default();
    // What stands where is taken from what was decided: a half-finished move has to be made whole first.
    let first = if of.kind == "move" {
        " Bring every plate to where the move ends (done) or begins (the others)."
    } else {
        ""
    };
    let message = format!(
        "A {} job{on} {what}. Look at the device and the plate, then record what \
         happened: done, not done, or plate lost.{first}",
        of.kind
    );
    let task = NewTask { cause: TASK, message, subject: "job", subject_id: job.to_string(), campaign_id };
    tasks::open(conn, &task).await?;
    let body = json!({"kind": of.kind, "round_id": of.round_id, "plate_id": of.plate_id, "known": known});
    let event = NewEvent {
        kind: "JobInDoubt",
        subject: "job",
        subject_id: job.to_string(),
        campaign_id,
        actor,
        body,
    };
    events::append(conn, &event).await.map(drop)
}

/// A job in doubt, locked for this transaction.
pub(super) struct InDoubt {
    pub lease_token: LeaseToken,
    /// No report settles it.
    pub awaits_person: bool,
}

pub(super) async fn lock(conn: &mut PgConnection, job: JobId) -> Result<Option<InDoubt>> {
    let row = sqlx::query!(
        "select lease_token, awaits_person from job_in_doubt where job_id = $1 for update",
        job.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| InDoubt { lease_token: LeaseToken(row.lease_token), awaits_person: row.awaits_person }))
}

/// Somebody knows now: the row goes, and the task is closed. The caller settles the job.
pub(super) async fn leave(conn: &mut PgConnection, job: JobId, actor: ActorId) -> Result<()> {
    let gone = sqlx::query!("delete from job_in_doubt where job_id = $1", job.0).execute(&mut *conn).await?;
    if gone.rows_affected() == 0 {
        return Err(Error::corrupt("job", format!("{job} is not in doubt")));
    }
    tasks::close_for(conn, TASK, &job.to_string(), actor).await?;
    Ok(())
}

/// Adds the worker's later words to what is known.
pub(super) async fn add_testimony(conn: &mut PgConnection, job: JobId, failure: &Failure) -> Result<()> {
    sqlx::query!(
        "update job_in_doubt set known = known || jsonb_build_object('failure', $2::jsonb) where job_id = $1",
        job.0,
        json!(failure)
    )
    .execute(conn)
    .await?;
    Ok(())
}
