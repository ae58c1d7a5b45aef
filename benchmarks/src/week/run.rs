//! A run: everything is set up, everybody works until no campaign runs, then it is looked at.

use super::checks;
use super::progress::{self, Watched};
use super::report::{self, Totals};
use crate::databases::Cluster;
use crate::laboratory::campaign::Shape;
use crate::laboratory::ground::Ground;
use crate::queue::statements::{self, Statements};
use anyhow::{Context, bail};
use clap::Parser;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Drives many campaigns to their end and says what saturates first
#[derive(Clone, Debug, Parser)]
#[command(name = "bench-load")]
pub struct Options {
    /// PostgreSQL URL of a superuser of a cluster that may be written to
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The binary of the service
    #[arg(long)]
    loopwright: PathBuf,
    #[arg(long, default_value_t = 100_000)]
    designs: usize,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=125))]
    campaigns: u32,
    /// Four for each campaign, the others wait
    #[arg(long, default_value_t = 500)]
    instruments: usize,
    #[arg(long, default_value_t = 2)]
    learners: usize,
    /// Rounds of each campaign
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// How long each job of a device takes
    #[arg(long, default_value_t = 0)]
    device_ms: u64,
    /// Write everything to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Options {
    fn shape(&self) -> anyhow::Result<Shape> {
        let batch = self.designs / (self.campaigns as usize * self.rounds as usize);
        if batch == 0 || batch * self.campaigns as usize * self.rounds as usize != self.designs {
            bail!("{} designs cannot be shared evenly among rounds of campaigns", self.designs);
        }
        Ok(Shape::batches(self.rounds, u32::try_from(batch)?))
    }
}

pub async fn run(options: Options) -> anyhow::Result<()> {
    let cluster = Cluster::at(&options.database_url).await?;
    let shape = options.shape()?;
    let (ground, benches) = prepare(&options, &cluster, &shape).await?;
    let mut ground = ground;
    let superuser = cluster.pool("postgres").await?;
    statements::reset(&superuser).await?;
    let crew = ground.work(Duration::from_millis(options.device_ms))?;
    let stop = CancellationToken::new();
    let watched = Watched::new(&ground, cluster.postmaster, options.designs);
    let watching = tokio::spawn(progress::watch(watched, stop.clone()));
    let start = Instant::now();
    for bench in 0..options.campaigns as usize {
        ground.begin_campaign(bench, &shape).await?;
    }
    let finished = ground.until_finished().await;
    let seconds = start.elapsed().as_secs_f64();
    stop.cancel();
    let samples = watching.await??;
    finished?;
    let requests = checks::requests(&ground).await?;
    let statements = statements::read(&superuser).await?;
    // A campaign is over before the training that its last round asked for.
    ground.until_settled().await?;
    crew.stop().await?;
    let totals = Totals::read(&ground.pool, seconds).await?;
    let found = checks::checked(&ground, options.designs, &requests).await?;
    println!(
        "\n{} campaigns of {} rounds of {} designs, {benches} benches at work, {} instruments\n",
        options.campaigns, options.rounds, shape.batch, options.instruments
    );
    println!("{}", report::table(&totals, &samples));
    let jobs = totals.jobs.unsigned_abs();
    println!(
        "statements of the service:\n{}",
        statements::table(&Statements { jobs, statements: statements.clone() })
    );
    println!("{}", found.in_words());
    if let Some(path) = &options.json {
        let all = json!({"totals": totals, "samples": samples, "statements": statements, "checks": found});
        std::fs::write(path, serde_json::to_string_pretty(&all)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    ground.end().await?;
    found.ensure_right()
}

async fn prepare(options: &Options, cluster: &Cluster, shape: &Shape) -> anyhow::Result<(Ground, usize)> {
    let mut ground = Ground::prepare(cluster, &options.loopwright).await?;
    let benches = options.campaigns as usize;
    for bench in 0..benches.max(options.instruments / 4) {
        ground.add_bench(bench).await?;
        if bench < benches {
            ground.stock(bench, shape).await?;
        }
    }
    ground.add_learners(options.learners).await?;
    sqlx::raw_sql("analyze").execute(&ground.pool).await?;
    Ok((ground, benches))
}
