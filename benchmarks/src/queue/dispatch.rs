//! From a job's entry to its lease at a worker, with a thousand workers that wait.
//!
//! The jobs enter in another process than the service, as in an installation with replicas: the wake-up crosses by
//! NOTIFY, sent by the code that `serve` itself runs ([`Wakeups`]).

use super::exactly_once;
use super::ground::{Ground, work};
use anyhow::bail;
use orchestrator::queue::Wakeups;
use orchestrator::store::jobs::{Created, NewJob};
use orchestrator::store::{self, ConnectOptions};
use sqlx::PgPool;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const JOBS_PER_SECOND: u32 = 20;
/// Until everybody waits.
const SETTLE: Duration = Duration::from_secs(2);

/// Milliseconds of each job.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// From before its transaction.
    pub from_begin_ms: Vec<f64>,
    /// From after its commit.
    pub from_commit_ms: Vec<f64>,
}

/// A job that was entered.
#[derive(Clone, Copy, Debug)]
struct Entered {
    id: Uuid,
    begun: Instant,
    committed: Instant,
}

pub async fn measure(ground: &Ground, workers: usize, window: Duration) -> anyhow::Result<Latencies> {
    let mut database = ground.database(0).await?;
    let serving = ground.serve(&database).await?;
    let working = ground.waiting_crew(&serving, workers).work()?;
    tokio::time::sleep(SETTLE).await;
    let pool = store::connect(&database.url, &ConnectOptions::default()).await?;
    let (wakeups, shutdown) = (Wakeups::default(), CancellationToken::new());
    let telling = tokio::spawn(wakeups.clone().run(pool.clone(), shutdown.clone()));
    let entered = enter(&pool, &wakeups, window).await?;
    tokio::time::sleep(SETTLE).await;
    shutdown.cancel();
    telling.await?;
    let worked = working.stop().await?;
    serving.service.kill().await?;
    database.filled += entered.len();
    exactly_once::check(&database, &worked).await?;
    let at: HashMap<Uuid, Instant> = worked.given.iter().map(|given| (given.job_id, given.at)).collect();
    latencies(&entered, &at)
}

async fn enter(pool: &PgPool, wakeups: &Wakeups, window: Duration) -> anyhow::Result<Vec<Entered>> {
    let mut turns = tokio::time::interval(Duration::from_secs(1) / JOBS_PER_SECOND);
    let start = Instant::now();
    let mut entered = Vec::new();
    while start.elapsed() < window {
        turns.tick().await;
        let job = NewJob::new(work());
        let begun = Instant::now();
        let mut tx = orchestrator::store::begin_on(pool).await?;
        let created = store::jobs::create(&mut tx, &job).await?;
        tx.commit().await?;
        let committed = Instant::now();
        let Created::Created(id, consequences) = created else { bail!("a fresh job was there before") };
        wakeups.after(&consequences);
        entered.push(Entered { id: id.0, begun, committed });
    }
    Ok(entered)
}

fn latencies(entered: &[Entered], at: &HashMap<Uuid, Instant>) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::default();
    for job in entered {
        let Some(given) = at.get(&job.id) else { bail!("job {} reached no worker", job.id) };
        let since = |instant: Instant| given.saturating_duration_since(instant).as_secs_f64() * 1e3;
        latencies.from_begin_ms.push(since(job.begun));
        latencies.from_commit_ms.push(since(job.committed));
    }
    Ok(latencies)
}
