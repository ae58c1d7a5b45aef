//! How it goes, every few seconds: what is done, what waits, and who uses the processors.

use crate::laboratory::ground::Ground;
use crate::processes;
use serde::Serialize;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const EACH: Duration = Duration::from_secs(5);

/// What is looked at.
pub struct Watched {
    pool: PgPool,
    serve: u32,
    postmaster: u32,
    designs: usize,
}

impl Watched {
    pub fn new(ground: &Ground, postmaster: u32, designs: usize) -> Self {
        Self { pool: ground.pool.clone(), serve: ground.service.pid, postmaster, designs }
    }
}

/// One look.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    pub seconds: f64,
    #[serde(flatten)]
    pub done: Done,
    /// Cores since the look before.
    pub serve: f64,
    pub postgres: f64,
    pub workers: f64,
    pub serve_mb: f64,
    /// Of every process on the machine that may run, the load of the last minute.
    pub load: f64,
}

#[derive(Clone, Copy, Debug, Serialize, sqlx::FromRow)]
pub struct Done {
    /// Designs with a fate.
    pub designs: i64,
    pub rounds: i64,
    pub jobs: i64,
    pub ready: i64,
    pub leased: i64,
    /// Settled jobs whose consequences are not drawn.
    pub undrawn: i64,
}

/// Processor seconds so far.
#[derive(Clone, Copy, Debug)]
struct Cpu {
    serve: f64,
    postgres: f64,
    workers: f64,
}

impl Watched {
    fn cpu(&self) -> anyhow::Result<Cpu> {
        Ok(Cpu {
            serve: processes::cpu_seconds(self.serve)?,
            postgres: processes::tree_cpu_seconds(self.postmaster)?,
            workers: processes::cpu_seconds(std::process::id())?,
        })
    }

    async fn done(&self) -> anyhow::Result<Done> {
        Ok(sqlx::query_as(
            "select (select count(*) from proposal where fate is not null) as designs,
                 (select count(*) from round where state = 'closed') as rounds,
                 (select count(*) from job_outcome) as jobs,
                 (select count(*) from job_ready) as ready,
                 (select count(*) from lease) as leased,
                 (select count(*) from settlement) as undrawn",
        )
        .fetch_one(&self.pool)
        .await?)
    }
}

/// Looks until `stop`, and prints what it sees.
pub async fn watch(watched: Watched, stop: CancellationToken) -> anyhow::Result<Vec<Sample>> {
    let start = Instant::now();
    let (mut at, mut before) = (0.0, watched.cpu()?);
    let mut samples = Vec::new();
    println!(
        "{:>7} {:>16} {:>7} {:>7} {:>6} {:>6} {:>7} {:>6} {:>8} {:>7} {:>9} {:>6}",
        "seconds",
        "designs",
        "rounds",
        "jobs",
        "ready",
        "leased",
        "undrawn",
        "serve",
        "postgres",
        "workers",
        "serve MB",
        "load"
    );
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EACH) => {}
        }
        let (seconds, cpu, done) = (start.elapsed().as_secs_f64(), watched.cpu()?, watched.done().await?);
        let cores = |now: f64, before: f64| (now - before) / (seconds - at);
        let sample = Sample {
            seconds,
            done,
            serve: cores(cpu.serve, before.serve),
            postgres: cores(cpu.postgres, before.postgres),
            workers: cores(cpu.workers, before.workers),
            serve_mb: processes::memory(watched.serve)?.resident_mb,
            load: load()?,
        };
        print(&sample, watched.designs);
        (at, before) = (seconds, cpu);
        samples.push(sample);
    }
    Ok(samples)
}

fn print(sample: &Sample, designs: usize) {
    let Sample { seconds, done, serve, postgres, workers, serve_mb, load } = sample;
    let of = format!("{} / {designs}", done.designs);
    println!(
        "{seconds:>7.1} {of:>16} {:>7} {:>7} {:>6} {:>6} {:>7} {serve:>6.2} {postgres:>8.2} {workers:>7.2} {serve_mb:>9.1} {load:>6.2}",
        done.rounds, done.jobs, done.ready, done.leased, done.undrawn
    );
}

fn load() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}
