//! What `loopwright doctor` reads of the installation around the queue: connections, vacuum, disk, clocks, learners.

use super::Result;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

/// Figures; what they mean is the reader's to judge. Those that this login may not see are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Installation {
    /// The database's clock.
    pub database_at: Option<DateTime<Utc>>,
    /// Laboratory time moves by jumps: a demo or a test.
    pub clock_jumps: bool,
    pub connections: i64,
    pub connections_most: i64,
    pub autovacuum: bool,
    /// This login may see what other sessions do.
    pub sees_sessions: bool,
    /// Tables in which more rows are dead than alive, with their last vacuum.
    pub bloated: Vec<String>,
    /// The longest transaction that does nothing and is open, in seconds.
    pub idle_in_transaction_seconds: Option<f64>,
    pub database_bytes: i64,
    /// Write-ahead log kept for the slowest replication slot.
    pub slot_bytes: Option<i64>,
    /// The reason of the stop, while the laboratory is stopped.
    pub stopped: Option<String>,
    /// Jobs that wait for a learner.
    pub learner_jobs: i64,
    /// When a learner was last heard of (its token was used).
    pub learner_seen_at: Option<DateTime<Utc>>,
}

/// Reads them; `conn` acts as the application's role.
pub async fn installation(conn: &mut PgConnection) -> Result<Installation> {
    let row = sqlx::query!(
        r#"select now() as "now!",
                  (select mode = 'jumping' from lab_clock) as "clock_jumps!",
                  (select count(*) from pg_stat_activity where datid is not null) as "connections!",
                  pg_has_role('pg_read_all_stats', 'usage') as "sees_sessions!",
                  current_setting('max_connections')::bigint as "connections_most!",
                  current_setting('autovacuum') = 'on' as "autovacuum!",
                  (select coalesce(array_agg(
                       format('%s (%s dead, %s alive, last vacuumed %s)', relname, n_dead_tup, n_live_tup,
                           coalesce(greatest(last_vacuum, last_autovacuum)::timestamptz(0)::text, 'never'))
                       order by n_dead_tup desc), '{}')
                   from pg_stat_user_tables
                   where n_dead_tup > 10000 and n_dead_tup > n_live_tup) as "bloated!: Vec<String>",
                  (select extract(epoch from max(now() - state_change))::float8
                   from pg_stat_activity
                   where state like 'idle in transaction%') as idle_in_transaction_seconds,
                  pg_database_size(current_database()) as "database_bytes!",
                  (select max(case when pg_is_in_recovery() then null
                          else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint end)
                   from pg_replication_slots) as slot_bytes,
                  (select reason from laboratory_stop where lifted_at is null) as stopped,
                  (select count(*) from job_ready where queue in ('learner', 'predict')) as "learner_jobs!",
                  (select max(last_used_at) from api_token
                   where 'work:learn' = any(scopes) and revoked_at is null) as learner_seen_at"#
    )
    .fetch_one(conn)
    .await?;
    Ok(Installation {
        database_at: Some(row.now),
        clock_jumps: row.clock_jumps,
        connections: row.connections,
        connections_most: row.connections_most,
        autovacuum: row.autovacuum,
        sees_sessions: row.sees_sessions,
        bloated: row.bloated,
        idle_in_transaction_seconds: row.idle_in_transaction_seconds,
        database_bytes: row.database_bytes,
        slot_bytes: row.slot_bytes,
        stopped: row.stopped,
        learner_jobs: row.learner_jobs,
        learner_seen_at: row.learner_seen_at,
    })
}
