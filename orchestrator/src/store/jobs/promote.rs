//! Laboratory time passes: what waited for its time becomes ready, what is too late becomes impossible.

use super::dependents;
use super::settle::{self, Consequences, Decided, Ending};
use crate::ids::SYSTEM;
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::Result;
use ::jobs::{Failure, FailureClass, JobId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Moves on up to `limit` jobs of each sort, in one transaction.
pub async fn promote(conn: &mut PgConnection, limit: i64) -> Result<Consequences> {
    steps::before(Step::Promote).await;
    let mut tx = store::begin(conn).await?;
    let mut consequences = Consequences::default();
    for job in overdue(&mut tx, limit).await? {
        let ending = Ending::Failed(deadline_passed());
        consequences.absorb(settle::settle(&mut tx, job, &ending, Decided::by_the_queue(SYSTEM)).await?);
    }
    let due = due(&mut tx, limit).await?;
    if !due.is_empty() {
        consequences.queues.extend(dependents::make_ready(&mut tx, &due).await?);
    }
    steps::commit(tx, Step::Promote).await?;
    Ok(consequences)
}

/// Locked in order of their ids, as endings lock them.
async fn due(conn: &mut PgConnection, limit: i64) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select job_id
         from job_waiting
         where unmet = 0 and (not_before_lab_at is null or not_before_lab_at <= (select lab_now()))
         order by job_id
         limit $1
         for update skip locked",
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// Takes out those that nobody began in time, found by their deadline: nothing else of the tables is read. In the
/// order of their ids, as endings lock them.
async fn overdue(conn: &mut PgConnection, limit: i64) -> Result<Vec<JobId>> {
    let waiting = sqlx::query_scalar!(
        "delete from job_waiting
         where job_id = any(array(
             select job_id
             from job_waiting
             where deadline_lab_at < (select lab_now())
             order by deadline_lab_at
             limit $1
             for update skip locked
         ))
         returning job_id",
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    let ready = sqlx::query_scalar!(
        "delete from job_ready
         where job_id = any(array(
             select job_id
             from job_ready
             where deadline_lab_at < (select lab_now())
             order by deadline_lab_at
             limit $1
             for update skip locked
         ))
         returning job_id",
        limit
    )
    .fetch_all(conn)
    .await?;
    let mut overdue: Vec<JobId> = waiting.into_iter().chain(ready).map(JobId).collect();
    overdue.sort();
    Ok(overdue)
}

fn deadline_passed() -> Failure {
    let message = "Nobody began it before its deadline (laboratory time). See why no worker took it in time.";
    Failure::new(FailureClass::Permanent, "job.deadline_passed", message)
}
