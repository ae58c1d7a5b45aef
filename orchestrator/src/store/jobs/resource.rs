//! A job that did not succeed on a resource (a deck, a reader) may have left plates standing there. Who waits
//! for its end waits on, until the loop knows: the place is clear, or another job clears it.

use super::dependents;
use super::settle::Consequences;
use crate::store::error::Result;
use ::jobs::JobId;
use sqlx::PgConnection;

/// The place is clear: those that waited for the end of `job` may come. Does nothing when it holds none.
pub async fn clear(conn: &mut PgConnection, job: JobId) -> Result<Consequences> {
    // The ending's own lock order: first the job's row, then those that wait.
    sqlx::query!("select id from job where id = $1 for no key update", job.0)
        .fetch_optional(&mut *conn)
        .await?;
    let held = sqlx::query!("delete from resource_held where job_id = $1", job.0).execute(&mut *conn).await?;
    if held.rows_affected() == 0 {
        return Ok(Consequences::default());
    }
    let queues = dependents::cleared(conn, job).await?;
    Ok(Consequences { queues: queues.into_iter().collect(), settled: Vec::new() })
}

/// `instead` does the work, or clears the place: those that waited for the end of `job` wait for its end.
pub async fn hand_over(conn: &mut PgConnection, job: JobId, instead: JobId) -> Result<()> {
    sqlx::query!("select id from job where id = $1 for no key update", job.0)
        .fetch_optional(&mut *conn)
        .await?;
    sqlx::query!("delete from resource_held where job_id = $1", job.0).execute(&mut *conn).await?;
    sqlx::query!(
        "update job_dependency
         set depends_on = $2
         where depends_on = $1
             and requires = 'end'
             and exists (select from job_waiting where job_waiting.job_id = job_dependency.job_id)",
        job.0,
        instead.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
