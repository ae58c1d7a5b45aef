//! Complete and lease, as fast as workers can: jobs a second, and what the processes used meanwhile.

use super::exactly_once;
use super::ground::{Ground, Serving};
use super::workers::{Crew, Done, Way};
use crate::{machine, processes};
use serde::Serialize;
use sqlx::PgPool;
use std::time::{Duration, Instant};

/// Connections are made and caches are filled before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);
/// How often the measurement looks whether jobs run out: then it ends.
const LOOK: Duration = Duration::from_millis(10);

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub workers: usize,
    pub way: Way,
    pub starts: bool,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    pub jobs_per_second: f64,
    pub used: Used,
    pub left: Left,
    /// Jobs that ended from the first to the last, warm-up included.
    pub ended: u64,
}

/// CPU that was used, cores.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Used {
    pub client: f64,
    pub serve: f64,
    pub postgres: f64,
    /// Whatever else runs on the machine.
    pub others: f64,
}

/// What the service had not caught up with at the end: it goes on with it while nobody works.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Left {
    /// Settled jobs whose consequences the engine has not drawn.
    pub undrawn: i64,
    /// Events without a position in the chain.
    pub unsealed: i64,
    /// Rows of the outbox.
    pub untold: i64,
    /// Jobs that had ended until then.
    pub ended: i64,
}

/// Measures `case` for `window`. `expected`: jobs a second, so that enough are there.
pub async fn measure(
    ground: &Ground,
    case: Case,
    window: Duration,
    expected: f64,
) -> anyhow::Result<Measured> {
    let jobs = (expected * 1.4 * (WARM_UP + window).as_secs_f64()) as usize + 2 * case.workers;
    let database = ground.database(jobs).await?;
    let serving = ground.serve(&database).await?;
    let working = case.crew(ground, &serving).work()?;
    tokio::time::sleep(WARM_UP).await;
    let meter = Meter::start(ground, serving.service.pid, &working.done)?;
    let last = u64::try_from(jobs - case.workers)?;
    while meter.started.elapsed() < window && working.done.reported() < last {
        tokio::time::sleep(LOOK).await;
    }
    let (jobs_per_second, used) = meter.stop(&working.done)?;
    let left = left(&database.pool).await?;
    let worked = working.stop().await?;
    serving.service.kill().await?;
    exactly_once::check(&database, &worked).await?;
    Ok(Measured { jobs_per_second, used, left, ended: worked.reported })
}

impl Case {
    pub fn crew(self, ground: &Ground, serving: &Serving) -> Crew {
        ground.busy_crew(serving, self.workers, self.way, self.starts)
    }
}

/// Counts over a while.
#[derive(Debug)]
pub struct Meter {
    pub started: Instant,
    reported: u64,
    pids: [u32; 3],
    cpu: [f64; 3],
    busy: f64,
}

impl Meter {
    pub fn start(ground: &Ground, serve: u32, done: &Done) -> anyhow::Result<Self> {
        let pids = [std::process::id(), serve, ground.cluster.postmaster];
        let (cpu, busy) = (cpu(pids)?, machine::busy_seconds()?);
        Ok(Self { started: Instant::now(), reported: done.reported(), pids, cpu, busy })
    }

    /// Jobs a second since the start, and the CPU that they took.
    pub fn stop(self, done: &Done) -> anyhow::Result<(f64, Used)> {
        let (reported, seconds) = (done.reported() - self.reported, self.started.elapsed().as_secs_f64());
        let [client, serve, postgres] = cpu(self.pids)?;
        let [client_before, serve_before, postgres_before] = self.cpu;
        let cores = |now: f64, before: f64| (now - before) / seconds;
        let ours = client + serve + postgres;
        let used = Used {
            client: cores(client, client_before),
            serve: cores(serve, serve_before),
            postgres: cores(postgres, postgres_before),
            others: (cores(machine::busy_seconds()?, self.busy) - cores(ours, self.cpu.iter().sum()))
                .max(0.0),
        };
        Ok((reported as f64 / seconds, used))
    }
}

/// CPU seconds so far of client, service, and PostgreSQL with all of its backends.
fn cpu([client, serve, postmaster]: [u32; 3]) -> anyhow::Result<[f64; 3]> {
    Ok([
        processes::cpu_seconds(client)?,
        processes::cpu_seconds(serve)?,
        processes::tree_cpu_seconds(postmaster)?,
    ])
}

pub async fn left(pool: &PgPool) -> anyhow::Result<Left> {
    let (undrawn, unsealed, untold, ended) = sqlx::query_as(
        "select (select count(*) from settlement),
             (select count(*) from event) - (select count(*) from event_seal),
             (select count(*) from outbox),
             (select count(*) from job_outcome)",
    )
    .fetch_one(pool)
    .await?;
    Ok(Left { undrawn, unsealed, untold, ended })
}

/// Whether the service gives the next job in the answer to a report.
pub async fn gives_next(ground: &Ground) -> anyhow::Result<bool> {
    let database = ground.database(2).await?;
    let serving = ground.serve(&database).await?;
    let answer = super::worker::answers_with_next(serving.service.address, ground.token()).await;
    serving.service.kill().await?;
    answer
}
