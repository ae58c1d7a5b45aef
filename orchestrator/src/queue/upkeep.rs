//! What time does to the queue: leases run out, waiting jobs come due, events get their positions.
//!
//! Every process runs it; row locks decide who does what. Killed at any line, the next turn goes on.

use super::Wakeups;
use crate::store::blobs::Blobs;
use crate::store::{self, events, idempotency, jobs, laboratory, people, reconciliation, uploads};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_millis(500);
const FORGET_PERIOD: Duration = Duration::from_secs(600);
const HEAD_PERIOD: Duration = Duration::from_secs(3600);
const BATCH: i64 = 500;
const SEALED_AT_ONCE: i64 = 2000;
const SEALS_A_TURN: u32 = 20;

/// Takes turns until `shutdown`.
pub async fn run(pool: PgPool, blobs: Blobs, wakeups: Wakeups, shutdown: CancellationToken) {
    let mut turns = tokio::time::interval(PERIOD);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut forgets = tokio::time::interval(FORGET_PERIOD);
    let mut heads = tokio::time::interval(HEAD_PERIOD);
    loop {
        let done = tokio::select! {
            () = shutdown.cancelled() => break,
            _ = heads.tick() => store::bounded(log_head(&pool)).await,
            _ = turns.tick() => store::bounded(turn(&pool, &wakeups)).await,
            _ = forgets.tick() => store::bounded(forget(&pool, &blobs)).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, code = error.code(), "the queue's upkeep goes on with its next turn");
        }
    }
    if let Err(error) = log_head(&pool).await {
        tracing::warn!(%error, code = error.code(), "the head of the audit chain could not be read");
    }
}

/// The head of the audit chain, into the log: whoever keeps the log elsewhere can tell later whether the record was
/// cut off or computed anew (`loopwright audit verify --head`).
async fn log_head(pool: &PgPool) -> store::Result<()> {
    let (position, chain_sha256) = events::head(&mut *pool.acquire().await?).await?;
    tracing::info!(position, chain_sha256, "audit head");
    Ok(())
}

/// One turn: another life of the database, expired leases, due and overdue jobs, a stop that stands, the sealer. Answers nothing: it is safe to repeat.
pub async fn turn(pool: &PgPool, wakeups: &Wakeups) -> store::Result<()> {
    let mut conn = pool.acquire().await?;
    let opened = reconciliation::observe(&mut conn).await?;
    let mut consequences = opened.unwrap_or_default();
    if reconciliation::close_if_nothing_was_lost(&mut conn).await? {
        wakeups.jobs("bench");
        wakeups.jobs("people");
        wakeups.settled();
    }
    consequences.absorb(jobs::reap(&mut conn, BATCH).await?);
    consequences.absorb(jobs::promote(&mut conn, BATCH).await?);
    wakeups.after(&consequences);
    if laboratory::enforce(&mut conn).await? > 0 {
        wakeups.orders();
    }
    seal(&mut conn, wakeups).await
}

/// A busy queue adds thousands of events between two turns.
async fn seal(conn: &mut PgConnection, wakeups: &Wakeups) -> store::Result<()> {
    for _ in 0..SEALS_A_TURN {
        let sealed = events::seal_batch(conn, SEALED_AT_ONCE).await?;
        if sealed > 0 {
            wakeups.events();
        }
        if i64::try_from(sealed).is_ok_and(|sealed| sealed < SEALED_AT_ONCE) {
            break;
        }
    }
    Ok(())
}

/// What nobody will come back for: old sessions and keys, abandoned uploads.
async fn forget(pool: &PgPool, blobs: &Blobs) -> store::Result<()> {
    people::sessions::forget_old(&mut *pool.acquire().await?).await?;
    idempotency::forget_old(&mut *pool.acquire().await?).await?;
    uploads::sweep(pool, blobs).await.map(drop)
}
