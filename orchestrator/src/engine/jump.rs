//! The jumping clock of the demo and of tests: when nothing runs, nothing is left to dispatch and nothing is
//! left to draw, laboratory time jumps to the next due instant. It stands still while a job runs, and when
//! only a person is awaited: then there is no due instant. A tick of a campaign whose round runs is none either,
//! but a stop on the way to one.

use super::{Engine, start};
use crate::steps::{self, Step};
use crate::store::{self, Result};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

impl Engine {
    /// Jumps if laboratory time may. Answers where to. The jobs whose time has come are promoted by the caller.
    pub async fn jump(&self) -> Result<Option<DateTime<Utc>>> {
        jump(self).await
    }
}

async fn jump(engine: &Engine) -> Result<Option<DateTime<Utc>>> {
    steps::before(Step::Jump).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let jumped = jump_in(&mut tx).await?;
    match jumped {
        Some(lab_at) => {
            steps::commit(tx, Step::Jump).await?;
            tracing::info!(%lab_at, "laboratory time jumped");
        }
        // At once: its lock would make the next look skip the clock.
        None => tx.rollback().await?,
    }
    Ok(jumped)
}

async fn jump_in(tx: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let Some(lab_now) = store::jump::lock_jumping(tx).await? else { return Ok(None) };
    if !store::settlements::is_still(tx).await? || store::jump::rounds_have_work(tx).await? {
        return Ok(None);
    }
    let Some(calendar) = start::next_due(tx).await? else { return Ok(None) };
    let job_due = store::settlements::next_job_due(tx).await?;
    let Some(aim) = calendar.drives.into_iter().chain(job_due).min() else { return Ok(None) };
    // Ticks on the way are judged when they are due.
    let next = calendar.stops.map_or(aim, |stop| stop.min(aim));
    if next <= lab_now {
        // Due already: whoever promotes jobs or starts rounds is about to.
        return Ok(None);
    }
    store::clock::jump_to(tx, next).await.map(Some)
}
