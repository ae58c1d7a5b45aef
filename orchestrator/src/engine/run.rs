//! The loops. Each wakes by signal and by timer, and works with every signal lost.

use super::{Engine, jump, relay};
use crate::store;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long a loop sleeps without being woken.
const ENGINE: Duration = Duration::from_millis(500);
const QUEUE: Duration = Duration::from_millis(250);
const SEALER: Duration = Duration::from_millis(250);
const RELAY: Duration = Duration::from_millis(500);
const SWEEP: Duration = Duration::from_secs(3600);
/// Rows handled by one pass of a loop.
const BATCH: i64 = 500;

/// Runs every loop until `shutdown`; a step that is under way is finished.
pub async fn run(engine: Engine, shutdown: CancellationToken) {
    tokio::join!(
        advance(&engine, &shutdown),
        queue(&engine, &shutdown),
        seal(&engine, &shutdown),
        tell(&engine, &shutdown),
        sweep(&engine, &shutdown),
    );
}

/// Moves rounds on, and laboratory time where it jumps.
async fn advance(engine: &Engine, shutdown: &CancellationToken) {
    let mut woken = engine.wakeups.subscribe_settled();
    while !shutdown.is_cancelled() {
        woken.mark_unchanged();
        // Errors were logged where they happened; what failed is tried again.
        let _ = engine.settle_down().await;
        match jump::jump(engine).await {
            Ok(Some(_)) => {
                promote(engine).await;
                continue;
            }
            Ok(None) => {}
            Err(error) => log(&error, "jumping"),
        }
        sleep(ENGINE, Some(&mut woken), shutdown).await;
    }
}

/// Takes back leases that ran out, and lets jobs begin whose time has come.
async fn queue(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        reap(engine).await;
        promote(engine).await;
        sleep(QUEUE, None, shutdown).await;
    }
}

async fn reap(engine: &Engine) {
    let reaped = async {
        let mut conn = engine.pool.acquire().await?;
        store::jobs::reap(&mut conn, BATCH).await
    };
    match reaped.await {
        Ok(consequences) => engine.wakeups.after(&consequences),
        Err(error) => log(&error, "reaping leases"),
    }
}

async fn promote(engine: &Engine) {
    let promoted = async {
        let mut conn = engine.pool.acquire().await?;
        store::jobs::promote(&mut conn, BATCH).await
    };
    match promoted.await {
        Ok(consequences) => engine.wakeups.after(&consequences),
        Err(error) => log(&error, "promoting jobs"),
    }
}

async fn seal(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        let sealed = async {
            let mut conn = engine.pool.acquire().await?;
            store::events::seal_batch(&mut conn, BATCH).await
        };
        match sealed.await {
            Ok(0) => sleep(SEALER, None, shutdown).await,
            Ok(_) => engine.wakeups.events(),
            Err(error) => {
                log(&error, "sealing events");
                sleep(SEALER, None, shutdown).await;
            }
        }
    }
}

async fn tell(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        match relay::relay(engine).await {
            Ok(0) => sleep(RELAY, None, shutdown).await,
            Ok(_) => {}
            Err(error) => {
                log(&error, "delivering the outbox");
                sleep(RELAY, None, shutdown).await;
            }
        }
    }
}

async fn sweep(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        let swept = async {
            let mut conn = engine.pool.acquire().await?;
            store::idempotency::forget_old(&mut conn).await
        };
        if let Err(error) = swept.await {
            log(&error, "sweeping idempotency keys");
        }
        sleep(SWEEP, None, shutdown).await;
    }
}

async fn sleep(at_most: Duration, woken: Option<&mut watch::Receiver<()>>, shutdown: &CancellationToken) {
    let signal = async {
        match woken {
            // The sender lives as long as the wake-ups do.
            Some(woken) => drop(woken.changed().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(at_most) => {}
        () = signal => {}
    }
}

fn log(error: &store::Error, doing: &'static str) {
    tracing::warn!(error = error as &dyn std::error::Error, code = error.code(), doing, "an engine loop failed; it tries again");
}
