//! What orchestration costs an experiment whose devices take no time.
//!
//! An experiment is a whole round of one design on one plate, as a campaign makes it: the learner is asked, the batch
//! drafted, approved by policy and planned, the plate goes through its seven jobs (move, dispense, move, incubate, move,
//! read, move), its reading is judged, the round closes, the model is trained, and the next round begins. Each job is
//! leased over HTTP, begun, reported and settled by the worker loop of an agent, which writes its spool to disk before
//! it begins and before it reports.
//!
//! One at a time is one campaign; eight at a time are eight campaigns, each with a bench of its own, over one service.

use crate::databases::Cluster;
use crate::laboratory::campaign::Shape;
use crate::laboratory::ground::Ground;
use crate::processes::{cpu_seconds, tree_cpu_seconds};
use sqlx::PgPool;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

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

/// What it costs, and the folder that [`Ground::end`] answers.
pub async fn measure(
    cluster: &Cluster,
    loopwright: &Path,
    at_once: usize,
    rounds: u32,
) -> anyhow::Result<(Cost, Work, TempDir)> {
    let shape = Shape::one_by_one(rounds);
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
    let before = used(ground.service.pid)?;
    for bench in 0..at_once {
        ground.begin_campaign(bench, &shape).await?;
    }
    ground.until_finished().await?;
    let after = used(ground.service.pid)?;
    crew.stop().await?;
    let cost = read(&ground.pool).await?;
    let experiments = at_once as f64 * f64::from(rounds);
    let [postgres, serve, workers] =
        std::array::from_fn(|which| 1000.0 * (after[which] - before[which]) / experiments);
    Ok((cost, Work { postgres, serve, workers }, ground.end().await?))
}

async fn read(pool: &PgPool) -> anyhow::Result<Cost> {
    Ok(sqlx::query_as(COST).fetch_one(pool).await?)
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
