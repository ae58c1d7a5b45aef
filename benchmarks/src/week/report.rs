//! What it came to.

use super::progress::Sample;
use serde::Serialize;
use sqlx::PgPool;
use std::fmt::Write as _;

/// Of the whole run; times in milliseconds where nothing else is said.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Totals {
    pub seconds: f64,
    pub jobs: i64,
    pub designs: i64,
    pub readings: i64,
    pub events: i64,
    pub database_mb: f64,
    #[serde(flatten)]
    pub latency: Latency,
}

/// From what a job waits for (its creation, or the end of the last job before it) to its lease, while its device may
/// still be at another's; and from its lease to its end.
#[derive(Clone, Copy, Debug, Serialize, sqlx::FromRow)]
pub struct Latency {
    pub waited_p50: f64,
    pub waited_p99: f64,
    pub worked_p50: f64,
    pub worked_p99: f64,
}

impl Totals {
    pub async fn read(pool: &PgPool, seconds: f64) -> anyhow::Result<Self> {
        let (jobs, designs, readings, events, bytes): (i64, i64, i64, i64, i64) = sqlx::query_as(
            "select (select count(*) from job_outcome), (select count(*) from proposal where fate is not null),
                 (select count(*) from reading), (select count(*) from event), pg_database_size(current_database())",
        )
        .fetch_one(pool)
        .await?;
        let latency = sqlx::query_as(LATENCY).fetch_one(pool).await?;
        Ok(Self { seconds, jobs, designs, readings, events, database_mb: bytes as f64 / 1e6, latency })
    }
}

const LATENCY: &str = "
with step as (
    select job_attempt.leased_at - greatest(job.created_at, max(upstream.settled_at)) as waited,
        job_attempt.ended_at - job_attempt.leased_at as worked
    from job
    join job_attempt on job_attempt.job_id = job.id and job_attempt.attempt = 1
    left join job_dependency on job_dependency.job_id = job.id
    left join job_outcome as upstream on upstream.job_id = job_dependency.depends_on
    group by job.id, job_attempt.leased_at, job_attempt.ended_at
)
select 1000 * extract(epoch from percentile_cont(0.5) within group (order by waited))::float8 as waited_p50,
    1000 * extract(epoch from percentile_cont(0.99) within group (order by waited))::float8 as waited_p99,
    1000 * extract(epoch from percentile_cont(0.5) within group (order by worked))::float8 as worked_p50,
    1000 * extract(epoch from percentile_cont(0.99) within group (order by worked))::float8 as worked_p99
from step";

/// Who shares the processors; on a machine with others, their seconds say more than the clock's.
const USERS: [(&str, fn(&Sample) -> f64); 3] =
    [("serve", |it| it.serve), ("PostgreSQL", |it| it.postgres), ("workers", |it| it.workers)];

/// Totals, and who used the processors.
pub fn table(totals: &Totals, samples: &[Sample]) -> String {
    let Totals { seconds, jobs, designs, readings, events, database_mb, latency } = totals;
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "{what:<44} {value:>24}");
    };
    line("designs with a fate", designs.to_string());
    line("seconds", format!("{seconds:.1}"));
    line("designs a second", format!("{:.1}", *designs as f64 / seconds));
    line("jobs; a second", format!("{jobs}; {:.1}", *jobs as f64 / seconds));
    line("readings; events", format!("{readings}; {events}"));
    line("database, MB", format!("{database_mb:.0}"));
    let Latency { waited_p50, waited_p99, worked_p50, worked_p99 } = latency;
    line("ready to leased, ms, p50 / p99", format!("{waited_p50:.1} / {waited_p99:.1}"));
    line("leased to settled, ms, p50 / p99", format!("{worked_p50:.1} / {worked_p99:.1}"));
    for (who, of) in USERS {
        let used = processor_seconds(samples, of);
        let (cores, a_job) = (used / seconds, 1000.0 * used / *jobs as f64);
        line(&format!("{who}: cores; processor ms a job"), format!("{cores:.2}; {a_job:.1}"));
    }
    line("most memory of serve, MB", format!("{:.1}", most(samples, |it| it.serve_mb)));
    line(
        "most ready; undrawn",
        format!(
            "{}; {}",
            most(samples, |it| it.done.ready as f64),
            most(samples, |it| it.done.undrawn as f64)
        ),
    );
    text
}

fn processor_seconds(samples: &[Sample], cores: fn(&Sample) -> f64) -> f64 {
    let mut before = 0.0;
    let mut sum = 0.0;
    for sample in samples {
        sum += cores(sample) * (sample.seconds - before);
        before = sample.seconds;
    }
    sum
}

fn most(samples: &[Sample], of: fn(&Sample) -> f64) -> f64 {
    samples.iter().map(of).fold(0.0, f64::max)
}
