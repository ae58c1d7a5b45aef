//! The worker is alive: its lease is renewed. A lease that ran out and that nobody has taken back counts
//! as held: authority is lost to somebody, not to the clock.

use super::held::{Authority, phase};
use super::lease::whole_seconds;
use crate::store::error::Result;
use ::jobs::JobId;
use ::jobs::state::State;
use ::jobs::wire::{Heartbeat, HeartbeatAnswer};
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;

pub async fn heartbeat(
    conn: &mut PgConnection,
    job: JobId,
    beat: &Heartbeat,
    duration: Duration,
) -> Result<Authority<HeartbeatAnswer>> {
    let row = sqlx::query!(
        "update lease
         set expires_at = now() + make_interval(secs => $3),
             progress = coalesce($4, progress)
         where job_id = $1 and lease_token = $2
         returning phase",
        job.0,
        beat.lease_token.0,
        duration.as_secs_f64(),
        beat.progress.as_ref().map(|progress| json!(progress))
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(Authority::Lost) };
    Ok(Authority::Held(HeartbeatAnswer {
        expires_in_seconds: whole_seconds(duration),
        stop_requested: phase(&row.phase)? == State::Stopping,
    }))
}
