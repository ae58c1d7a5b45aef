//! What time does to the queue: leases run out, waiting jobs come due, events get their positions.
//!
//! Every process runs it; row locks decide who does what. Killed at any line, the next turn goes on.

use super::Wakeups;
use crate::store::blobs::Blobs;
use crate::store::{self, events, idempotency, jobs, people, uploads};
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_millis(500);
const FORGET_PERIOD: Duration = Duration::from_secs(600);
const BATCH: i64 = 500;

/// Takes turns until `shutdown`.
pub async fn run(pool: PgPool, blobs: Blobs, wakeups: Wakeups, shutdown: CancellationToken) {
    let mut turns = tokio::time::interval(PERIOD);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut forgets = tokio::time::interval(FORGET_PERIOD);
    loop {
        let done = tokio::select! {
            () = shutdown.cancelled() => return,
            _ = turns.tick() => turn(&pool, &wakeups).await,
            _ = forgets.tick() => forget(&pool, &blobs).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, code = error.code(), "the queue's upkeep goes on with its next turn");
        }
    }
}

/// One turn: expired leases, due and overdue jobs, the sealer. Answers nothing: it is safe to repeat.
pub async fn turn(pool: &PgPool, wakeups: &Wakeups) -> store::Result<()> {
    let mut conn = pool.acquire().await?;
    let mut consequences = jobs::reap(&mut conn, BATCH).await?;
    consequences.absorb(jobs::promote(&mut conn, BATCH).await?);
    wakeups.after(&consequences);
    if events::seal_batch(&mut conn, BATCH).await? > 0 {
        wakeups.events();
    }
    Ok(())
}

/// What nobody will come back for: old sessions and keys, abandoned uploads.
async fn forget(pool: &PgPool, blobs: &Blobs) -> store::Result<()> {
    people::sessions::forget_old(&mut *pool.acquire().await?).await?;
    idempotency::forget_old(&mut *pool.acquire().await?).await?;
    uploads::sweep(pool, blobs).await.map(drop)
}
