//! The worker is about to begin. Only after the answer may anything physical happen.

use super::held::{self, AttemptEnding, Authority, phase};
use super::lease::whole_seconds;
use crate::steps::{self, Step};
use crate::store::error::{Error, Result};
use ::jobs::state::State;
use ::jobs::wire::HeartbeatAnswer;
use ::jobs::{JobId, LeaseToken};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// Leased becomes running, and the lease is renewed. A repeat changes nothing. A job that is asked to stop
/// does not begin: the answer says so. One that was paused since it was leased is taken back: authority is lost.
pub async fn start(
    conn: &mut PgConnection,
    job: JobId,
    token: LeaseToken,
    duration: Duration,
) -> Result<Authority<HeartbeatAnswer>> {
    let row = sqlx::query!(
        "update lease
         set phase = case phase when 'leased' then 'running' else phase end,
             started_at = case phase when 'leased' then now() else started_at end,
             expires_at = now() + make_interval(secs => $3)
         where job_id = $1 and lease_token = $2 and (phase <> 'leased' or may_begin(job_id, instrument))
         returning phase",
        job.0,
        token.0,
        duration.as_secs_f64()
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return not_begun(conn, job, token).await };
    Ok(Authority::Held(HeartbeatAnswer {
        expires_in_seconds: whole_seconds(duration),
        stop_requested: phase(&row.phase)? == State::Stopping,
    }))
}

/// The lease is another's or nobody's; or it may not begin now, and goes back to the queue.
async fn not_begun<T>(conn: &mut PgConnection, job: JobId, token: LeaseToken) -> Result<Authority<T>> {
    steps::before(Step::TakeBack).await;
    let mut tx = conn.begin().await?;
    let Some(held) = held::take(&mut tx, job, token).await? else { return Ok(Authority::Lost) };
    if held.phase != State::Leased {
        // It moved on between the two looks: asked again, it is answered.
        return Err(Error::Contended(sqlx::Error::RowNotFound));
    }
    held.end_attempt(&mut tx, AttemptEnding::Released, false).await?;
    held.back_to_ready(&mut tx, None).await?;
    steps::commit(tx, Step::TakeBack).await?;
    Ok(Authority::Lost)
}
