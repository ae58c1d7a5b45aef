//! The queue, by jobs that are ready in it: a lease with its completion, and entering one more.

use super::report::Costs;
use crate::figures::percentile;
use crate::queue::ground::{Ground, work};
use crate::queue::workers::Way;
use anyhow::Context;
use orchestrator::store::jobs::NewJob;
use orchestrator::store::{self, ConnectOptions};
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_secs(1);
const ENTERED: usize = 500;
/// Workers at the same time.
const WORKERS: [usize; 2] = [1, 32];

/// Adds the costs at `jobs` ready ones.
pub async fn measure(
    ground: &Ground,
    jobs: usize,
    window: Duration,
    costs: &mut Costs,
) -> anyhow::Result<()> {
    let size = jobs as u64;
    let database = ground.database(jobs).await?;
    let pool = store::connect(&database.url, &ConnectOptions::default()).await?;
    let entered = enter(&pool).await?;
    costs.add(
        "enter one job (one a transaction, p50)",
        size,
        percentile(&entered, 50.0).context("none entered")?,
    );
    pool.close().await;
    let serving = ground.serve(&database).await?;
    for workers in WORKERS {
        let working = ground.busy_crew(&serving, workers, Way::Together, true).work()?;
        tokio::time::sleep(WARM_UP).await;
        let (started, before) = (Instant::now(), working.done.reported());
        tokio::time::sleep(window).await;
        let (elapsed, done) = (started.elapsed(), working.done.reported() - before);
        let worked = working.stop().await?;
        anyhow::ensure!(worked.wrong.is_empty(), "workers met errors: {:?}", worked.wrong);
        anyhow::ensure!(!worked.given.is_empty(), "nobody was given a job");
        let cycle = elapsed.as_secs_f64() * 1e3 / done as f64;
        costs.add(&format!("lease, start and complete one, {workers} workers"), size, cycle);
    }
    serving.service.kill().await
}

async fn enter(pool: &sqlx::PgPool) -> anyhow::Result<Vec<f64>> {
    let mut conn = pool.acquire().await?;
    let mut milliseconds = Vec::with_capacity(ENTERED);
    for _ in 0..ENTERED {
        let started = Instant::now();
        let mut tx = orchestrator::store::begin(&mut conn).await?;
        store::jobs::create(&mut tx, &NewJob::new(work())).await?;
        tx.commit().await?;
        milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(milliseconds)
}
