//! What orchestration costs an experiment whose devices take no time.
//!
//! An experiment is a whole round of one design on one plate, as a campaign makes it: the learner is asked, the batch
//! drafted, approved by policy and planned, the plate goes through its seven jobs (move, dispense, move, incubate, move,
//! read, move), its reading is judged, the round closes, the model is trained, and the next round begins. Each job is
//! leased over HTTP, begun, reported and settled by the worker loop of an agent, which writes its spool to disk before
//! it begins and before it reports.
//!
//! One at a time is one campaign; eight at a time are eight campaigns, each with a bench of its own, over one service.
//! The first [`FIRST`] rounds of all of them together are not counted: until then each connection of the service parses
//! and plans its statements, several times each.

use crate::databases::Cluster;
use crate::laboratory::campaign::Shape;
use crate::laboratory::ground::Ground;
use crate::processes::{cpu_seconds, tree_cpu_seconds};
use sqlx::PgPool;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Rounds before counting: each of the engine's eight connections keeps a plan from a statement's sixth time on.
pub const FIRST: u32 = 50;
/// A round takes far less.
const UNTIL_COUNTING: Duration = Duration::from_secs(120);

/// Milliseconds an experiment.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Cost {
    /// From the beginning of the first round to the end of the last, over the number of experiments.
    pub experiment: f64,
    /// Of the latency of one: from the jobs of a plate being there to the last of them settled.
    pub chain: f64,
    /// Jobs of a plate.
    pub jobs: f64,
    /// Of the chain: from a job being ready to its lease.
    pub waited: f64,
    /// From its lease to its start: the agent writes it down, and says so.
    pub began: f64,
    /// From its start to its report: the agent writes the outcome down, and sends it.
    pub reported: f64,
    /// From a round's beginning to its batch, the learner's own time taken off.
    pub proposing: f64,
    /// From the batch to its approval.
    pub approving: f64,
    /// From the approval to the jobs.
    pub planning: f64,
    /// From the last settled job to the round's end: consequences drawn, plate judged, summary.
    pub closing: f64,
    /// From a round's end to the beginning of the next, the learner's own time taken off.
    pub training: f64,
    /// Between lease and report of `propose` and `train`.
    pub learner: f64,
}

/// Processor time of an experiment, milliseconds of one core.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub postgres: f64,
    pub serve: f64,
    /// Agents and learners.
    pub workers: f64,
}

/// What each of `rounds` rounds a campaign costs, and the folder that [`Ground::end`] answers.
pub async fn measure(
    cluster: &Cluster,
    loopwright: &Path,
    at_once: usize,
    rounds: u32,
) -> anyhow::Result<(Cost, Work, TempDir)> {
    let first = FIRST.div_ceil(u32::try_from(at_once)?);
    let shape = Shape::one_by_one(first + rounds);
    let mut ground = Ground::prepare(cluster, loopwright).await?;
    for bench in 0..at_once {
        ground.add_bench(bench).await?;
        ground.stock(bench, &shape).await?;
    }
    ground.add_learners(at_once.min(2)).await?;
    let crew = ground.work(Duration::ZERO)?;
    let used = |serve: u32| -> anyhow::Result<[f64; 3]> {
        Ok([tree_cpu_seconds(cluster.postmaster)?, cpu_seconds(serve)?, cpu_seconds(std::process::id())?])
    };
    for bench in 0..at_once {
        ground.begin_campaign(bench, &shape).await?;
    }
    let ended = until_counting(&ground.pool, i32::try_from(first)?).await?;
    let before = used(ground.service.pid)?;
    ground.until_finished().await?;
    let after = used(ground.service.pid)?;
    crew.stop().await?;
    let cost = sqlx::query_as(COST).bind(i32::try_from(first)?).fetch_one(&ground.pool).await?;
    let experiments = at_once as f64 * f64::from(first + rounds) - ended as f64;
    let [postgres, serve, workers] =
        std::array::from_fn(|which| 1000.0 * (after[which] - before[which]) / experiments);
    Ok((cost, Work { postgres, serve, workers }, ground.end().await?))
}

/// Until each campaign has a round after its `first` ones; how many rounds have ended then.
async fn until_counting(pool: &PgPool, first: i32) -> anyhow::Result<i64> {
    let from = Instant::now();
    loop {
        let (behind, ended): (i64, i64) = sqlx::query_as(
            "select (select count(*) from campaign where not exists (
                select from round where campaign_id = campaign.id and number > $1)),
                (select count(*) from round where state = 'closed')",
        )
        .bind(first)
        .fetch_one(pool)
        .await?;
        if behind == 0 {
            return Ok(ended);
        }
        anyhow::ensure!(
            from.elapsed() < UNTIL_COUNTING,
            "{behind} campaigns have not come beyond round {first}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const COST: &str = "
with worked as (
    select job.round_id, job.kind, job.created_at, job_attempt.leased_at, job_attempt.started_at,
        job_outcome.settled_at
    from job
    join job_attempt on job_attempt.job_id = job.id
    join job_outcome on job_outcome.job_id = job.id
    where job.round_id is not null
),
step as (
    select round_id, created_at, leased_at, started_at, settled_at,
        lag(settled_at) over (partition by round_id order by settled_at) as before
    from worked
    where kind not in ('train', 'propose')
),
chain as (
    select round_id, count(*) as jobs, min(created_at) as created_at, max(settled_at) as settled_at,
        sum(leased_at - greatest(created_at, before)) as waited,
        sum(started_at - leased_at) as began,
        sum(settled_at - started_at) as reported
    from step
    group by round_id
),
stage as (
    select round_id,
        min(entered_at) filter (where stage = 'awaiting_approval') as proposed_at,
        min(entered_at) filter (where stage = 'planning') as approved_at,
        min(entered_at) filter (where stage = 'executing') as planned_at,
        min(entered_at) filter (where stage = 'closed') as closed_at
    from round_stage
    group by round_id
),
learner as (
    select round_id,
        sum(settled_at - leased_at) filter (where kind = 'propose') as proposed,
        sum(settled_at - leased_at) filter (where kind = 'train') as trained
    from worked
    group by round_id
),
experiment as (
    select round.created_at as begun_at, stage.closed_at, chain.*, stage.proposed_at, stage.approved_at,
        stage.planned_at, learner.proposed, learner.trained,
        lead(round.created_at) over (partition by campaign_id order by number) as next_at
    from round
    join chain on chain.round_id = round.id
    join stage on stage.round_id = round.id
    join learner on learner.round_id = round.id
    where round.number > $1
)
select
    1000 * extract(epoch from max(closed_at) - min(begun_at))::float8 / count(*) as experiment,
    1000 * extract(epoch from avg(settled_at - created_at))::float8 as chain,
    avg(jobs)::float8 as jobs,
    1000 * extract(epoch from avg(waited))::float8 as waited,
    1000 * extract(epoch from avg(began))::float8 as began,
    1000 * extract(epoch from avg(reported))::float8 as reported,
    1000 * extract(epoch from avg(proposed_at - begun_at - proposed))::float8 as proposing,
    1000 * extract(epoch from avg(approved_at - proposed_at))::float8 as approving,
    1000 * extract(epoch from avg(planned_at - approved_at))::float8 as planning,
    1000 * extract(epoch from avg(closed_at - settled_at))::float8 as closing,
    1000 * extract(epoch from avg(next_at - closed_at - trained))::float8 as training,
    1000 * extract(epoch from avg(proposed + coalesce(trained, '0')))::float8 as learner
from experiment";
