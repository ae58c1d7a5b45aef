//! Throughput while somebody's snapshot is open: a backup, a forgotten psql. Vacuum can take nothing away meanwhile.

use super::exactly_once;
use super::ground::{Database, Ground};
use super::throughput::{Case, Meter};
use super::workers::Done;
use anyhow::bail;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const WARM_UP: Duration = Duration::from_secs(2);
/// The feeder looks so often whether work runs out.
const FEED: Duration = Duration::from_millis(250);

/// Jobs a second.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub before: f64,
    /// In the last window, the snapshot still open.
    pub after: f64,
}

/// `case` works without a pause; a snapshot is opened, and `held` later it is measured again. Each measurement takes three
/// times `window`: what happens now and then in so long a time should be in both. `expected`: jobs a second.
pub async fn measure(
    ground: &Ground,
    case: Case,
    window: Duration,
    held: Duration,
    expected: f64,
) -> anyhow::Result<Held> {
    let window = window * 3;
    let ahead = (expected * 3.0) as usize + 4 * case.workers;
    let database = ground.database(ahead).await?;
    let serving = ground.serve(&database).await?;
    let working = case.crew(ground, &serving).work()?;
    let done = Arc::clone(&working.done);
    let fed = Arc::new(AtomicBool::new(false));
    let feeder = tokio::spawn(feed(database, Arc::clone(&fed), Arc::clone(&done), case.workers, ahead));
    let pool = ground.cluster.pool("bench_queue").await?;

    tokio::time::sleep(WARM_UP).await;
    let meter = Meter::start(ground, serving.service.pid, &done)?;
    tokio::time::sleep(window).await;
    let (before, _) = meter.stop(&done)?;

    let mut snapshot = orchestrator::store::begin_on(&pool).await?;
    sqlx::raw_sql("set transaction isolation level repeatable read").execute(&mut *snapshot).await?;
    sqlx::query_scalar::<_, i64>("select count(*) from job_outcome").fetch_one(&mut *snapshot).await?;
    tokio::time::sleep(held.saturating_sub(window)).await;
    let meter = Meter::start(ground, serving.service.pid, &done)?;
    tokio::time::sleep(window).await;
    let (after, _) = meter.stop(&done)?;
    snapshot.rollback().await?;

    fed.store(true, Ordering::Relaxed);
    let database = feeder.await??;
    let worked = working.stop().await?;
    serving.service.kill().await?;
    pool.close().await;
    exactly_once::check(&database, &worked).await?;
    Ok(Held { before, after })
}

/// Keeps `ahead` jobs ready until told to end. Fails when `workers` found less than they could take.
async fn feed(
    mut database: Database,
    end: Arc<AtomicBool>,
    done: Arc<Done>,
    workers: usize,
    ahead: usize,
) -> anyhow::Result<Database> {
    while !end.load(Ordering::Relaxed) {
        let ready = database.filled.saturating_sub(usize::try_from(done.reported())?);
        if ready < 2 * workers {
            bail!("jobs ran out while the snapshot was open: the feeder is too slow");
        }
        database.fill(ahead.saturating_sub(ready)).await?;
        tokio::time::sleep(FEED).await;
    }
    Ok(database)
}
