//! Observations: closing a round (its data cut is all that its campaign measured), and some pages.

use super::laboratory::{Ground, Laboratory, Shape};
use super::pages::{Asker, Callers};
use super::report::Costs;
use super::rounds::idle_pass;
use crate::figures::percentile;
use anyhow::{Context, ensure};
use std::time::{Duration, Instant};

pub const DATABASE: &str = "growth_observations";
const CAMPAIGNS: u64 = 50;
const ROUNDS: u64 = 100;
/// Rounds that close.
const CLOSING: u64 = 3;
const PAGE: Duration = Duration::from_secs(2);

/// Fifty campaigns of a hundred rounds, with so many observations in all.
pub fn shape(observations: u64) -> Shape {
    let a_round = (observations / CAMPAIGNS / ROUNDS).max(1);
    let plates = a_round.div_ceil(250);
    let small = Shape {
        campaigns: CAMPAIGNS,
        rounds: ROUNDS,
        plates,
        samples: a_round / plates,
        chain: 25,
        mapped: ROUNDS / 2,
        closing: CLOSING,
        pool: 230_400,
    };
    Shape { pool: small.pool.min(observations), ..small }
}

/// Adds the costs at `observations`, and answers the laboratory, whose rounds have closed.
pub async fn measure(ground: &Ground, observations: u64, costs: &mut Costs) -> anyhow::Result<Laboratory> {
    let laboratory = ground.laboratory(DATABASE, &shape(observations)).await?;
    costs.add("close a round (fates, data cut, summary)", observations, close(&laboratory).await?);
    let engine = laboratory.engine().await?;
    costs.add("engine pass, nothing to do (p50)", observations, idle_pass(&engine).await?);
    engine.pool.close().await;
    pages(ground, &laboratory, observations, costs).await?;
    Ok(laboratory)
}

/// Milliseconds of closing one round. The first pass also drafts what waits for approval, and is not measured: the
/// rounds that close are held back meanwhile by another transaction.
async fn close(laboratory: &Laboratory) -> anyhow::Result<f64> {
    let engine = laboratory.engine().await?;
    let mut held = orchestrator::store::begin_on(&laboratory.pool).await?;
    sqlx::query("select id from round where state = 'assessing' for update").execute(&mut *held).await?;
    let error = engine.settle_down().await.error;
    error.map_or(Ok(()), Err).context("the engine met an error")?;
    held.rollback().await?;
    let started = Instant::now();
    let (_, error) = engine.advance().await;
    let elapsed = started.elapsed();
    error.map_or(Ok(()), Err).context("the engine met an error")?;
    let left: i64 = sqlx::query_scalar("select count(*) from round where state = 'assessing'")
        .fetch_one(&laboratory.pool)
        .await?;
    ensure!(left == 0, "{left} rounds did not close");
    engine.pool.close().await;
    Ok(elapsed.as_secs_f64() * 1e3 / CLOSING as f64)
}

async fn pages(ground: &Ground, laboratory: &Laboratory, size: u64, costs: &mut Costs) -> anyhow::Result<()> {
    let service = ground.serve(laboratory).await?;
    let callers = Callers::make(laboratory).await?;
    let mut asker = Asker::open(service.address, &callers.viewer).await?;
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from campaign order by id limit 1").fetch_one(&laboratory.pool).await?;
    for (name, path) in [
        ("/campaigns/{id}/progress", format!("/api/v1/campaigns/{id}/progress")),
        ("/campaigns/{id}/learning-curve", format!("/api/v1/campaigns/{id}/learning-curve")),
        ("/plates", "/api/v1/plates?limit=1000".to_owned()),
        ("/jobs", "/api/v1/jobs?limit=100".to_owned()),
    ] {
        let asked = asker.ask(&[path], PAGE).await?;
        let p50 = percentile(&asked.milliseconds, 50.0).context("not asked")?;
        costs.add(&format!("{name} (p50)"), size, p50);
    }
    service.kill().await
}
