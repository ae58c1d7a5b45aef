//! A campaign, by its rounds: a pass of the engine that finds nothing to do, and the campaign's pages.

use super::laboratory::{Ground, Shape};
use super::pages::{Asker, Callers};
use super::report::Costs;
use crate::figures::percentile;
use anyhow::Context;
use orchestrator::engine::Engine;
use std::time::{Duration, Instant};

const DATABASE: &str = "growth_rounds";
const PASSES: usize = 20;
const PAGE: Duration = Duration::from_secs(2);
/// Of the campaign, as the web app asks them.
const PAGES: [&str; 7] =
    ["", "/progress", "/learning-curve", "/models", "/next-ticks?n=5", "/why", "/calendar"];

/// Adds the costs at `rounds` of one campaign.
pub async fn measure(ground: &Ground, rounds: u64, costs: &mut Costs) -> anyhow::Result<()> {
    let shape = Shape {
        campaigns: 1,
        rounds,
        plates: 2,
        samples: 50,
        chain: 8,
        mapped: rounds,
        closing: 0,
        pool: 10_000,
    };
    let laboratory = ground.laboratory(DATABASE, &shape).await?;
    let engine = laboratory.engine().await?;
    let error = engine.settle_down().await.error;
    error.map_or(Ok(()), Err).context("the engine met an error")?;
    costs.add("engine pass, nothing to do (p50)", rounds, idle_pass(&engine).await?);
    engine.pool.close().await;
    let service = ground.serve(&laboratory).await?;
    let callers = Callers::make(&laboratory).await?;
    let mut asker = Asker::open(service.address, &callers.viewer).await?;
    let id: uuid::Uuid = sqlx::query_scalar("select id from campaign").fetch_one(&laboratory.pool).await?;
    for page in PAGES {
        let path = match page {
            "/calendar" => "/api/v1/calendar".to_owned(),
            page => format!("/api/v1/campaigns/{id}{page}"),
        };
        let asked = asker.ask(&[path], PAGE).await?;
        let name = if page == "/calendar" { page.to_owned() } else { format!("/campaigns/{{id}}{page}") };
        costs.add(
            &format!("{name} (p50)"),
            rounds,
            percentile(&asked.milliseconds, 50.0).context("not asked")?,
        );
    }
    service.kill().await?;
    laboratory.drop().await
}

/// The median, ms.
pub async fn idle_pass(engine: &Engine) -> anyhow::Result<f64> {
    let mut milliseconds = Vec::with_capacity(PASSES);
    for _ in 0..PASSES {
        let started = Instant::now();
        let (_, error) = engine.advance().await;
        error.map_or(Ok(()), Err).context("the engine met an error")?;
        milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
    }
    percentile(&milliseconds, 50.0).context("no pass")
}
