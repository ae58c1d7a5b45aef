//! Which statements of the service take the time, by `pg_stat_statements` (`scripts/bench-queue --statements`).

use super::ground::Ground;
use super::throughput::{self, Case};
use serde::Serialize;
use sqlx::PgPool;
use std::fmt::Write as _;
use std::time::Duration;

const MOST: i64 = 20;

/// A statement of the service.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct Statement {
    pub text: String,
    /// Of the time of all of them.
    pub share: f64,
    pub calls: i64,
    pub mean_us: f64,
    pub rows: i64,
    pub wal_bytes: f64,
}

/// The statements of one measurement, warm-up included, and the jobs that ended in it.
#[derive(Clone, Debug, Serialize)]
pub struct Statements {
    pub jobs: u64,
    pub statements: Vec<Statement>,
}

pub async fn measure(
    ground: &Ground,
    case: Case,
    window: Duration,
    expected: f64,
) -> anyhow::Result<Statements> {
    let pool = ground.cluster.pool("postgres").await?;
    reset(&pool).await?;
    let measured = throughput::measure(ground, case, window, expected).await?;
    let statements = read(&pool).await?;
    pool.close().await;
    Ok(Statements { jobs: measured.ended, statements })
}

/// From now on.
pub(crate) async fn reset(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::raw_sql("create extension if not exists pg_stat_statements; select pg_stat_statements_reset()")
        .execute(pool)
        .await?;
    Ok(())
}

/// Those of the service's role: filling and looking are done by another.
pub(crate) async fn read(pool: &PgPool) -> anyhow::Result<Vec<Statement>> {
    let rows = sqlx::query_as(
        "select regexp_replace(query, '\\s+', ' ', 'g') as text,
             total_exec_time / sum(total_exec_time) over () as share,
             calls, mean_exec_time * 1000 as mean_us, rows, wal_bytes::float8 as wal_bytes
         from pg_stat_statements
         where userid = 'loopwright_app'::regrole
         order by total_exec_time desc
         limit $1",
    );
    Ok(rows.bind(MOST).fetch_all(pool).await?)
}

pub fn table(statements: &Statements) -> String {
    let jobs = statements.jobs.max(1) as f64;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:>6} {:>10} {:>10} {:>10} {:>12}  statement",
        "share", "calls", "a job", "mean us", "WAL B a job"
    );
    for statement in &statements.statements {
        let words: String = statement.text.chars().take(110).collect();
        let _ = writeln!(
            text,
            "{:>5.1}% {:>10} {:>10.3} {:>10.1} {:>12.0}  {words}",
            statement.share * 100.0,
            statement.calls,
            statement.calls as f64 / jobs,
            statement.mean_us,
            statement.wal_bytes / jobs,
        );
    }
    text
}
