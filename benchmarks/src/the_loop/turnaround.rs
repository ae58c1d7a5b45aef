//! From the last reading of a round to the next batch waiting, the learner's own time taken off.
//!
//! It begins when the last `read` of the round is settled, and ends when the batch of the next round is there for
//! whoever looks. Between lie: judging the last plate, its way to the waste, the round's summary and data cut, the
//! `train` job, the new version, the next round, the `propose` job, and the answer written down. What the learner
//! takes from its leases to its reports is taken off.

use crate::databases::Cluster;
use crate::laboratory::campaign::Shape;
use crate::laboratory::ground::Ground;
use sqlx::PgPool;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// How often is looked for a batch.
const LOOK: Duration = Duration::from_millis(4);

/// Seconds, of one round to the next.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Turnaround {
    /// All of it, less the learner's.
    pub ours: f64,
    pub learner: f64,
}

/// One a turn, and the folder that [`Ground::end`] answers.
pub async fn measure(
    cluster: &Cluster,
    loopwright: &Path,
    batch: u32,
    rounds: u32,
) -> anyhow::Result<(Vec<Turnaround>, TempDir)> {
    let shape = Shape::batches(rounds, batch);
    let mut ground = Ground::prepare(cluster, loopwright).await?;
    ground.add_bench(0).await?;
    ground.stock(0, &shape).await?;
    ground.add_learners(1).await?;
    sqlx::raw_sql("create table seen (round_id uuid primary key, at timestamptz not null)")
        .execute(&ground.pool)
        .await?;
    let stop = CancellationToken::new();
    let looking = tokio::spawn(look(ground.pool.clone(), stop.clone()));
    let crew = ground.work(Duration::ZERO)?;
    ground.begin_campaign(0, &shape).await?;
    ground.until_finished().await?;
    stop.cancel();
    looking.await??;
    crew.stop().await?;
    let turnarounds = sqlx::query_as(TURNAROUNDS).fetch_all(&ground.pool).await?;
    Ok((turnarounds, ground.end().await?))
}

/// Notes when each batch is there.
async fn look(pool: PgPool, stop: CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        sqlx::query(
            "insert into seen
             select round_id, clock_timestamp() from batch where round_id not in (select round_id from seen)",
        )
        .execute(&pool)
        .await?;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

const TURNAROUNDS: &str = "
with learner as (
    select job.round_id, job.kind, job_outcome.settled_at - job_attempt.leased_at as took
    from job
    join job_attempt on job_attempt.job_id = job.id
    join job_outcome on job_outcome.job_id = job.id
    where job.kind in ('train', 'propose') and job.round_id is not null
),
turn as (
    select
        (select max(settled_at)
         from job
         join job_outcome on job_outcome.job_id = job.id
         where job.round_id = before.id and kind = 'read') as read_at,
        seen.at as seen_at,
        (select sum(took)
         from learner
         where (round_id = before.id and kind = 'train') or (round_id = round.id and kind = 'propose')) as took
    from round
    join round as before on before.campaign_id = round.campaign_id and before.number = round.number - 1
    join seen on seen.round_id = round.id
)
select extract(epoch from seen_at - read_at - took)::float8 as ours, extract(epoch from took)::float8 as learner
from turn";
