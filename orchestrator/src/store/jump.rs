//! What the jumping clock asks before it moves.

use super::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Takes the clock's row lock; `None` when another has it, or when laboratory time is real time.
pub async fn lock_jumping(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let row = sqlx::query_scalar!(
        r#"select lab_at as "lab_at!" from lab_clock where mode = 'jumping' for update skip locked"#
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Whether the engine has something to do with a round before time may pass: one that plans, one whose
/// batch has no draft or whose time is over, one that proposes, executes or assesses with no job of it open and no plate waiting
/// for a person.
pub async fn rounds_have_work(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from round
               where state = 'planning'
                  or (state = 'awaiting_approval' and exists (
                      select from batch
                      where batch.round_id = round.id
                        and batch.state = 'awaiting_approval'
                        and (batch.draft is null or batch.expires_lab_at <= lab_now())))
                  or (state in ('proposing', 'executing') and not exists (
                      select from job
                      left join job_outcome on job_outcome.job_id = job.id
                      where job.round_id = round.id and job.kind <> 'train' and job_outcome.job_id is null))
                  or (state = 'assessing' and not exists (
                      select from plate where plate.round_id = round.id and plate.state = 'quarantined'))) as "work!""#
    )
    .fetch_one(conn)
    .await?)
}
