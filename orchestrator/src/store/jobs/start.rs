//! The worker is about to begin. Only after the answer may anything physical happen.

use super::held::{Authority, phase};
use super::lease::whole_seconds;
use crate::store::error::Result;
use ::jobs::state::State;
use ::jobs::wire::HeartbeatAnswer;
use ::jobs::{JobId, LeaseToken};
use sqlx::PgConnection;
use std::time::Duration;

/// Leased becomes running, and the lease is renewed. A repeat changes nothing. A job that is asked to stop
/// does not begin: the answer says so.
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
         where job_id = $1 and lease_token = $2
         returning phase",
        job.0,
        token.0,
        duration.as_secs_f64()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(Authority::Lost) };
    Ok(Authority::Held(HeartbeatAnswer {
        expires_in_seconds: whole_seconds(duration),
        stop_requested: phase(&row.phase)? == State::Stopping,
    }))
}
