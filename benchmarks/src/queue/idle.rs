//! What a thousand workers cost that wait for work and get none.

use super::ground::Ground;
use crate::processes::{self, Memory};
use anyhow::bail;
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Until what the start set going has come to rest.
pub(crate) const SETTLE: Duration = Duration::from_secs(4);

/// What the service uses at rest.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// Cores of the service.
    pub serve: f64,
    /// Cores of its PostgreSQL backends.
    pub backends: f64,
    pub memory: Memory,
}

/// At rest without workers, and with them.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    pub alone: Rest,
    pub waited_for: Rest,
}

pub async fn measure(ground: &Ground, workers: usize, window: Duration) -> anyhow::Result<Idle> {
    let database = ground.database(0).await?;
    let serving = ground.serve(&database).await?;
    let pid = serving.service.pid;
    tokio::time::sleep(SETTLE).await;
    let alone = rest(&database.pool, pid, window / 2).await?;
    let working = ground.waiting_crew(&serving, workers).work()?;
    tokio::time::sleep(SETTLE).await;
    let waited_for = rest(&database.pool, pid, window).await?;
    let worked = working.stop().await?;
    serving.service.kill().await?;
    if let Some(wrong) = worked.wrong.first() {
        bail!("{} workers went wrong, the first: {wrong}", worked.wrong.len());
    }
    Ok(Idle { alone, waited_for })
}

/// What the service uses in `window`, as it stands.
pub(crate) async fn rest(pool: &PgPool, serve: u32, window: Duration) -> anyhow::Result<Rest> {
    let (start, cpu, backends) = (Instant::now(), processes::cpu_seconds(serve)?, backends(pool).await?);
    tokio::time::sleep(window).await;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = processes::cpu_seconds(serve)? - cpu;
    let after = self::backends(pool).await?;
    // One that began meanwhile began at nothing.
    let used: f64 = after.iter().map(|(pid, cpu)| cpu - backends.get(pid).unwrap_or(&0.0)).sum();
    Ok(Rest { serve: cpu / seconds, backends: used / seconds, memory: processes::memory(serve)? })
}

/// CPU seconds so far of each of the service's backends, by process id.
async fn backends(pool: &PgPool) -> anyhow::Result<BTreeMap<u32, f64>> {
    let pids: Vec<i32> = sqlx::query_scalar(
        "select pid
         from pg_stat_activity
         where datname = current_database() and application_name = 'loopwright'",
    )
    .fetch_all(pool)
    .await?;
    let mut cpu = BTreeMap::new();
    for pid in pids {
        let pid = u32::try_from(pid)?;
        // It may have ended since.
        if let Ok(seconds) = processes::cpu_seconds(pid) {
            cpu.insert(pid, seconds);
        }
    }
    Ok(cpu)
}
