//! The loops. (The queue's own, reaping, promoting and sealing, are in [`crate::queue::upkeep`].) Each wakes by signal and by timer, and works with every signal lost.

use super::Engine;
use super::standstills::Looks;
use crate::metrics::counted;
use crate::store;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long a loop sleeps without being woken.
const ENGINE: Duration = Duration::from_millis(500);
const RELAY: Duration = Duration::from_millis(500);
const DELIVER: Duration = Duration::from_secs(1);
const MIND: Duration = Duration::from_secs(5);
const STANDSTILLS: Duration = Duration::from_secs(30);
/// After a start, until agents have come for what waited while nobody answered them.
const AT_WORK_AGAIN: Duration = Duration::from_secs(60);
const FORGET: Duration = Duration::from_secs(600);
/// Rows handled by one pass of a loop.
const BATCH: i64 = 500;

/// Runs every loop until `shutdown`; a step that is under way is finished.
pub async fn run(engine: Engine, shutdown: CancellationToken) {
    let beside = Engine { pool: engine.lists.clone(), ..engine.clone() };
    tokio::join!(
        advance(&engine, &shutdown),
        tell(&beside, &shutdown),
        deliver(&beside, &shutdown),
        mind(&beside, &shutdown)
    );
}

/// Moves rounds on, and laboratory time where it jumps.
async fn advance(engine: &Engine, shutdown: &CancellationToken) {
    let mut woken = engine.wakeups.subscribe_settled();
    while !shutdown.is_cancelled() {
        woken.mark_unchanged();
        // Errors were logged where they happened; what failed is tried again.
        if engine.settle_down().await.jumps {
            match store::bounded(engine.jump()).await {
                Ok(Some(_)) => {
                    promote(engine).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => log(&error, "jumping"),
            }
        }
        sleep(ENGINE, Some(&mut woken), shutdown).await;
    }
}

async fn promote(engine: &Engine) {
    let promoted = async {
        let mut conn = engine.lists.acquire().await?;
        store::jobs::promote(&mut conn, BATCH).await
    };
    match store::bounded(promoted).await {
        Ok(consequences) => engine.wakeups.after(&consequences),
        Err(error) => log(&error, "promoting jobs"),
    }
}

async fn tell(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        match store::bounded(engine.relay()).await {
            Ok(0) => sleep(RELAY, None, shutdown).await,
            Ok(_) => {}
            Err(error) => {
                log(&error, "relaying the outbox");
                sleep(RELAY, None, shutdown).await;
            }
        }
    }
}

async fn deliver(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        match engine.deliver().await {
            Ok(0) => sleep(DELIVER, None, shutdown).await,
            Ok(_) => {}
            Err(error) => {
                log(&error, "delivering notifications");
                sleep(DELIVER, None, shutdown).await;
            }
        }
    }
}

/// Silence is judged only when this process has listened for as long: after an outage of ours, every agent
/// was silent.
async fn mind(engine: &Engine, shutdown: &CancellationToken) {
    let began = Instant::now();
    let mut forgot: Option<Instant> = None;
    let mut looked: Option<Instant> = None;
    while !shutdown.is_cancelled() {
        if let Err(error) = store::bounded(engine.escalate()).await {
            log(&error, "escalating notifications");
        }
        if let Err(error) = store::bounded(engine.warn_of_expiry()).await {
            log(&error, "warning of approvals that expire");
        }
        if let Err(error) = store::bounded(engine.mind_reconciliation()).await {
            log(&error, "minding the reconciliation");
        }
        if let Err(error) = store::bounded(engine.clear_strays()).await {
            log(&error, "clearing places");
        }
        if began.elapsed() > engine.settings.agent_lost_after
            && let Err(error) = store::bounded(engine.watch_agents()).await
        {
            log(&error, "watching agents");
        }
        if looked.is_none_or(|at| at.elapsed() > STANDSTILLS) {
            looked = Some(Instant::now());
            let looks = if began.elapsed() > AT_WORK_AGAIN { Looks::All } else { Looks::AfterAStart };
            if let Err(error) = store::bounded(engine.look_for_standstills(looks)).await {
                log(&error, "looking for standstills");
            }
        }
        if forgot.is_none_or(|at| at.elapsed() > FORGET) {
            forgot = Some(Instant::now());
            if let Err(error) = store::bounded(engine.forget_deliveries()).await {
                log(&error, "forgetting old deliveries");
            }
        }
        sleep(MIND, None, shutdown).await;
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
    counted().engine_error(doing, error.code());
    tracing::warn!(
        error = error as &dyn std::error::Error,
        code = error.code(),
        doing,
        "an engine loop failed; it tries again"
    );
}
