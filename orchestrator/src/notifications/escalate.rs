//! Nobody acknowledged it in time: the channels of the next level are told.

use super::Settings;
use super::carry_out::{About, escalates, tell};
use super::state::Event;
use crate::ids::SYSTEM;
use crate::store::{self, Result};
use sqlx::PgConnection;
use std::time::Duration;

/// Escalations in one transaction.
const BATCH: i64 = 50;

/// Escalates what is due, in the caller's transaction. Answers how many.
pub async fn escalate(conn: &mut PgConnection, settings: &Settings) -> Result<usize> {
    let due = store::notifications::lock_to_escalate(conn, BATCH).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let channels = store::channels::interests(conn).await?;
    let count = due.len();
    for mut locked in due {
        let next = escalates(locked.topic, locked.escalations + 1, settings);
        store::notifications::apply(conn, &mut locked, Event::Escalated, next, SYSTEM).await?.must()?;
        let about = About {
            id: locked.id,
            topic: locked.topic,
            project: locked.project_id,
            escalation: locked.escalations,
        };
        tell(conn, &channels, &about, Duration::ZERO).await?;
    }
    Ok(count)
}
