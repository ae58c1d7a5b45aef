//! Leases that ran out, by the database's real time.
//!
//! What may be repeated, or never began, goes back to whoever can; what began and may not be repeated goes
//! into doubt: nobody repeats a physical step blindly.

use super::doubt::{self, Why};
use super::held::{AttemptEnding, Held, Row};
use super::settle::{self, Consequences, Decided, Ending};
use crate::ids::SYSTEM;
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::Result;
use ::jobs::state::{Event, State};
use ::jobs::{Failure, FailureClass};
use sqlx::PgConnection;
use uuid::Uuid;

/// Takes back up to `limit` leases, each in a transaction of its own.
pub async fn reap(conn: &mut PgConnection, limit: i64) -> Result<Consequences> {
    let mut consequences = Consequences::default();
    for job in expired(conn, limit).await? {
        steps::before(Step::Reap).await;
        let mut tx = store::begin(conn).await?;
        if let Some(held) = take_expired(&mut tx, job).await? {
            consequences.absorb(expire(&mut tx, &held).await?);
            steps::commit(tx, Step::Reap).await?;
        }
    }
    Ok(consequences)
}

/// No index: the lease table is the size of the fleet, and heartbeats must stay cheap.
async fn expired(conn: &mut PgConnection, limit: i64) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select job_id from lease where expires_at <= now() order by expires_at limit $1",
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// A heartbeat or a report that came meanwhile wins: the condition is checked again under the row's lock.
async fn take_expired(conn: &mut PgConnection, job: Uuid) -> Result<Option<Held>> {
    sqlx::query_as!(
        Row,
        "delete from lease
         where job_id = $1 and expires_at <= now()
         returning job_id, lease_token, worker, instrument, phase, attempt, leased_at, started_at,
             deadline_lab_at, progress",
        job
    )
    .fetch_optional(conn)
    .await?
    .map(Held::try_from)
    .transpose()
}

async fn expire(conn: &mut PgConnection, held: &Held) -> Result<Consequences> {
    held.end_attempt(conn, AttemptEnding::Expired, false).await?;
    let job = sqlx::query!("select repeatable, max_attempts from job where id = $1", held.job_id.0)
        .fetch_one(&mut *conn)
        .await?;
    // What never began can be done without doing it twice.
    let repeatable = job.repeatable || held.started_at.is_none();
    let next = held.phase.next(Event::LeaseExpired { repeatable });
    match next {
        Ok(State::Ready) if held.attempt < job.max_attempts => {
            Ok(Consequences::ready(&held.back_to_ready(conn, None).await?))
        }
        Ok(State::Ready) => {
            let ending = Ending::Failed(attempts_exhausted(held.attempt));
            settle::settle(conn, held.job_id, &ending, Decided::by_the_queue(SYSTEM)).await
        }
        Ok(State::Cancelled) => {
            settle::settle(conn, held.job_id, &Ending::Cancelled, Decided::by_the_queue(SYSTEM)).await
        }
        // In doubt; and whatever the machine might say that we do not know is for a person too.
        _ => {
            doubt::enter(conn, held, Why::LeaseExpired, SYSTEM).await?;
            Ok(Consequences::default())
        }
    }
}

fn attempts_exhausted(attempts: i32) -> Failure {
    let message = format!(
        "It was leased {attempts} times and never reported. Look at its workers' logs, then order it anew."
    );
    Failure::new(FailureClass::NeedsPerson, "job.attempts_exhausted", message)
}
