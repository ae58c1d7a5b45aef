//! Jobs enter through `store::jobs::create`, from eight connections, without the service.

use super::ground::{Ground, work};
use anyhow::bail;
use orchestrator::store::jobs::NewJob;
use orchestrator::store::{self, ConnectOptions};
use sqlx::PgPool;
use std::time::{Duration, Instant};

const CONNECTIONS: u32 = 8;

/// Jobs a second with `per_transaction` in each transaction.
pub async fn measure(ground: &Ground, per_transaction: usize, window: Duration) -> anyhow::Result<f64> {
    let database = ground.database(0).await?;
    let options = ConnectOptions { max_connections: CONNECTIONS, ..ConnectOptions::default() };
    let pool = store::connect(&database.url, &options).await?;
    let start = Instant::now();
    let mut entering = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        entering.spawn(enter(pool.clone(), per_transaction, start + window));
    }
    let mut entered = 0;
    while let Some(count) = entering.join_next().await {
        entered += count??;
    }
    let seconds = start.elapsed().as_secs_f64();
    let ready: i64 = sqlx::query_scalar("select count(*) from job_ready").fetch_one(&database.pool).await?;
    if usize::try_from(ready)? != entered {
        bail!("{entered} jobs were entered, {ready} are ready");
    }
    Ok(entered as f64 / seconds)
}

async fn enter(pool: PgPool, per_transaction: usize, end: Instant) -> anyhow::Result<usize> {
    let mut conn = pool.acquire().await?;
    let mut entered = 0;
    while Instant::now() < end {
        let mut tx = orchestrator::store::begin(&mut conn).await?;
        for _ in 0..per_transaction {
            store::jobs::create(&mut tx, &NewJob::new(work())).await?;
        }
        tx.commit().await?;
        entered += per_transaction;
    }
    Ok(entered)
}
