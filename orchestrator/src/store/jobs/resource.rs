//! A job that did not succeed on a resource (a deck, a reader) may have left plates standing there. Who waits
//! for its end waits on, until the loop knows: the place is clear, or another job clears it.

use super::dependents;
use super::settle::Consequences;
use crate::store::error::Result;
use ::jobs::JobId;
use sqlx::PgConnection;
use uuid::Uuid;

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

/// `jobs`, all that a chain still holds of `resource`, never came to it. Those that waited for their end wait for whoever
/// the chain itself waited for there: its plates may stand there still. Where nobody does, they may come.
pub async fn stand_aside(conn: &mut PgConnection, jobs: &[JobId], resource: &str) -> Result<Consequences> {
    let mine: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
    sqlx::query!("select id from job where id = any($1) order by id for no key update", &mine)
        .fetch_all(&mut *conn)
        .await?;
    let before = still_there(conn, &mine, resource).await?;
    if before.is_empty() {
        let mut consequences = Consequences::default();
        for job in jobs {
            consequences.absorb(clear(conn, *job).await?);
        }
        return Ok(consequences);
    }
    dependents::wait_instead(conn, &mine, &before).await?;
    sqlx::query!("delete from resource_held where job_id = any($1)", &mine).execute(conn).await?;
    Ok(Consequences::default())
}

/// Jobs of other chains on `resource` that `mine` had to wait for and that have not ended, or left it occupied. Their
/// rows are locked: they end after whoever asks has said who waits for them.
async fn still_there(conn: &mut PgConnection, mine: &[Uuid], resource: &str) -> Result<Vec<Uuid>> {
    let before = sqlx::query_scalar!(
        "select id
         from job
         where id = any(array(
                 select depends_on from job_dependency where job_id = any($1) and requires = 'end'))
             and id <> all($1)
             and resource = $2
         order by id
         for share",
        mine,
        resource
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!(
        r#"select given.id as "id!"
           from unnest($1::uuid[]) as given (id)
           left join job_outcome on job_outcome.job_id = given.id
           left join resource_held on resource_held.job_id = given.id
           where job_outcome.job_id is null or resource_held.job_id is not null
           order by given.id"#,
        &before
    )
    .fetch_all(conn)
    .await?)
}

/// `instead` does the work, or clears the place: those that waited for the end of `job`, or failed waiting and may be made
/// anew, wait for its end.
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
             and not exists (
                 select from job_outcome
                 where job_outcome.job_id = job_dependency.job_id
                     and state not in ('failed', 'cancelled'))",
        job.0,
        instead.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
