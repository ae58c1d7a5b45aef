//! Leased and not begun: the queue takes it back, and whoever held it is refused when it would begin.

use super::held::{AttemptEnding, Held, Row};
use super::settle::Consequences;
use crate::store::error::Result;
use sqlx::PgConnection;
use uuid::Uuid;

/// Takes back those of `jobs` that are leased and have not begun, in the caller's transaction.
pub async fn take_back(conn: &mut PgConnection, jobs: &[Uuid]) -> Result<Consequences> {
    let rows = sqlx::query_as!(
        Row,
        "delete from lease
         where job_id = any($1) and phase = 'leased'
         returning job_id, lease_token, worker, instrument, phase, attempt, leased_at, started_at,
             deadline_lab_at, progress",
        jobs
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut consequences = Consequences::default();
    for row in rows {
        let held = Held::try_from(row)?;
        held.end_attempt(conn, AttemptEnding::Released, false).await?;
        consequences.absorb(Consequences::ready(&held.back_to_ready(conn, None).await?));
    }
    Ok(consequences)
}

/// Takes back whatever is leased, has not begun and may not begin now: it was paused since.
pub async fn take_back_barred(conn: &mut PgConnection) -> Result<Consequences> {
    let jobs = sqlx::query_scalar!(
        "select job_id from lease where phase = 'leased' and not may_begin(job_id, instrument) order by job_id"
    )
    .fetch_all(&mut *conn)
    .await?;
    if jobs.is_empty() { Ok(Consequences::default()) } else { take_back(conn, &jobs).await }
}
