//! Whether every job was done exactly once: the workers' own notes against the database.

use super::ground::Database;
use super::workers::Worked;
use anyhow::bail;
use sqlx::PgPool;
use std::collections::HashSet;

/// What the database says after everybody has gone.
#[derive(Debug, sqlx::FromRow)]
struct Record {
    entered: i64,
    ready: i64,
    leased: i64,
    succeeded: i64,
    ended_otherwise: i64,
    attempts_succeeded: i64,
    /// A lease whose asker had just gone is given back, and given to another.
    attempts_released: i64,
    attempts: i64,
    reports: i64,
    events: i64,
}

/// Fails when a job was lost, done twice, or is not recorded.
pub async fn check(database: &Database, worked: &Worked) -> anyhow::Result<()> {
    if let Some(wrong) = worked.wrong.first() {
        bail!("{} workers went wrong, the first: {wrong}", worked.wrong.len());
    }
    let record = read(&database.pool).await?;
    let jobs: HashSet<_> = worked.given.iter().map(|given| given.job_id).collect();
    let tokens: HashSet<_> = worked.given.iter().map(|given| given.lease_token).collect();
    let given = i64::try_from(worked.given.len())?;
    let later = later_attempts(worked);
    let agree = [
        ("jobs given to workers, each once", i64::try_from(jobs.len())?, given),
        ("lease tokens, each fresh", i64::try_from(tokens.len())?, given),
        ("later attempts without a lease given back", (later - record.attempts_released).max(0), 0),
        ("reports accepted, as the workers count", i64::try_from(worked.reported)?, given),
        ("jobs that succeeded", record.succeeded, given),
        ("jobs that ended otherwise", record.ended_otherwise, 0),
        ("attempts that succeeded", record.attempts_succeeded, given),
        ("attempts", record.attempts, given + record.attempts_released),
        ("reports recorded", record.reports, given),
        ("events of success", record.events, given),
        ("leases left", record.leased, 0),
        ("jobs ready or ended, of those entered", record.ready + record.succeeded, record.entered),
    ];
    for (what, found, expected) in agree {
        if found != expected {
            bail!("not exactly once: {what}: {found}, expected {expected} ({record:?})");
        }
    }
    Ok(())
}

/// Attempts that workers were given and that were not a job's first.
fn later_attempts(worked: &Worked) -> i64 {
    worked.given.iter().map(|given| i64::from(given.attempt) - 1).sum()
}

async fn read(pool: &PgPool) -> anyhow::Result<Record> {
    let record = sqlx::query_as(
        "select
             (select count(*) from job) as entered,
             (select count(*) from job_ready) as ready,
             (select count(*) from lease) as leased,
             (select count(*) from job_outcome where state = 'succeeded') as succeeded,
             (select count(*) from job_outcome where state <> 'succeeded') as ended_otherwise,
             (select count(*) from job_attempt where ending = 'succeeded') as attempts_succeeded,
             (select count(*) from job_attempt where ending = 'released') as attempts_released,
             (select count(*) from job_attempt) as attempts,
             (select count(*) from job_report where disposition = 'accepted') as reports,
             (select count(*) from event where kind = 'JobSucceeded') as events",
    );
    Ok(record.fetch_one(pool).await?)
}
