//! What `loopwright doctor` reads from the database.

use super::Result;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

/// Figures that say whether the installation is well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Vitals {
    /// `server_version_num`, e.g. 150018.
    pub server_version: i32,
    pub durable: bool,
    /// Standbys that stream while no commit waits for any of them; those that this login may not see are not counted.
    #[serde(default)]
    pub asynchronous_replicas: i64,
    /// The application's role may change or remove events: it must not.
    pub events_can_be_changed: bool,
    /// Age of the oldest open transaction or snapshot, in transactions: it holds vacuum back.
    pub oldest_snapshot_age: i32,
    pub ready_jobs: i64,
    /// Seconds the oldest ready job has waited for a worker that could take it now.
    pub oldest_ready_seconds: Option<f64>,
    pub expired_leases: i64,
    pub jobs_in_doubt: i64,
    pub unsettled_consequences: i64,
    pub held_rounds: i64,
    pub open_tasks: i64,
    pub unsealed_events: i64,
    /// Robots are given no work: what they did in another life of the database is not reconciled.
    pub is_reconciling: bool,
    /// Instruments in service that nobody has asked for work for within five minutes.
    pub silent_instruments: Vec<String>,
}

/// Reads the vitals; `conn` acts as the application's role.
pub async fn vitals(conn: &mut PgConnection) -> Result<Vitals> {
    let row = sqlx::query!(
        r#"select current_setting('server_version_num')::int as "server_version!",
                  (current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on'
                   and case
                       when current_setting('synchronous_standby_names') = ''
                       then current_setting('synchronous_commit') <> 'off'
                       else current_setting('synchronous_commit') in ('on', 'remote_apply')
                   end) as "durable!",
                  (select count(*) from pg_stat_replication as standby
                   where state = 'streaming'
                     and not exists (select from pg_replication_slots
                                     where slot_type = 'logical' and active_pid = standby.pid)
                     and not exists (select from pg_stat_replication where sync_state in ('sync', 'quorum')))
                      as "asynchronous_replicas!",
                  (has_table_privilege('loopwright_app', 'event', 'update')
                   or has_table_privilege('loopwright_app', 'event', 'delete')) as "events_can_be_changed!",
                  coalesce((select max(age(backend_xmin)) from pg_stat_activity
                            where pid <> pg_backend_pid()), 0) as "oldest_snapshot_age!",
                  (select count(*) from job_ready) as "ready_jobs!",
                  (select extract(epoch from now() - min(greatest(ready_at, retry_at)))::float8
                   from job_ready
                   left join instrument on instrument.name = job_ready.instrument
                   where queue <> 'people'
                     and (retry_at is null or retry_at <= now())
                     and (deadline_lab_at is null or deadline_lab_at >= lab_now())
                     and (instrument.state in ('maintenance', 'retired')
                         or (instrument.state = 'draining' and not plate_begun(job_ready.plate_id))) is not true
                     and not exists (select from hold where subject_id = job_ready.job_id and manner = 'pause')
                     and not exists (
                         select from hold
                         where subject_id = job_ready.round_id
                             and (manner = 'pause' or not plate_begun(job_ready.plate_id)))
                     and not exists (select from hold where subject_id = job_ready.campaign_id and manner = 'pause')
                     and not (queue = 'bench' and exists (select from laboratory_stop where lifted_at is null))
                     and (queue in ('learner', 'predict') or exists (
                         select from reconciliation where epoch = database_epoch() and closed_at is not null)))
                      as oldest_ready_seconds,
                  (select count(*) from lease where expires_at < now()) as "expired_leases!",
                  (select count(*) from job_in_doubt) as "jobs_in_doubt!",
                  (select count(*) from settlement) as "unsettled_consequences!",
                  (select count(*) from round where state = 'held') as "held_rounds!",
                  (select count(*) from task where closed_at is null) as "open_tasks!",
                  (select count(*) from event
                   where event.xid >= (
                           select case when sealed_below <= pg_snapshot_xmin(pg_current_snapshot()) then sealed_below
                                       else '0'::xid8 end
                           from event_sealer)
                     and (select position from event_seal where event_seal.event_id = event.id) is null)
                      as "unsealed_events!",
                  not exists (
                      select from reconciliation where epoch = database_epoch() and closed_at is not null
                  ) as "is_reconciling!",
                  (select coalesce(array_agg(name order by name), '{}') from instrument
                   where state = 'in_service'
                     and not coalesce(profile -> 'by_hand' = 'true', false)
                     and (last_seen_at is null or last_seen_at < now() - interval '5 minutes'))
                      as "silent_instruments!: Vec<String>""#
    )
    .fetch_one(conn)
    .await?;
    Ok(Vitals {
        server_version: row.server_version,
        durable: row.durable,
        asynchronous_replicas: row.asynchronous_replicas,
        events_can_be_changed: row.events_can_be_changed,
        oldest_snapshot_age: row.oldest_snapshot_age,
        ready_jobs: row.ready_jobs,
        oldest_ready_seconds: row.oldest_ready_seconds,
        expired_leases: row.expired_leases,
        jobs_in_doubt: row.jobs_in_doubt,
        unsettled_consequences: row.unsettled_consequences,
        held_rounds: row.held_rounds,
        open_tasks: row.open_tasks,
        unsealed_events: row.unsealed_events,
        is_reconciling: row.is_reconciling,
        silent_instruments: row.silent_instruments,
    })
}

/// Rows of one table that name a job which is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Astray {
    pub table: String,
    pub rows: i64,
}

/// What no foreign key refuses and nothing of ours writes (`migrations/0024`): left behind by a restore of some tables,
/// or by hands on the database. Reads the whole history of the queue.
pub async fn astray(conn: &mut PgConnection) -> Result<Vec<Astray>> {
    let rows = sqlx::query!(
        r#"with counted as (
             select 'lease' as name, count(*) from lease
             where not exists (select from job where job.id = lease.job_id)
             union all
             select 'job_attempt', count(*) from job_attempt
             where not exists (select from job where job.id = job_attempt.job_id)
             union all
             select 'job_report', count(*) from job_report
             where not exists (select from job where job.id = job_report.job_id)
             union all
             select 'job_outcome', count(*) from job_outcome
             where not exists (select from job where job.id = job_outcome.job_id)
             union all
             select 'settlement', count(*) from settlement
             where not exists (select from job_outcome where job_outcome.job_id = settlement.job_id)
         )
         select name as "table!", count as "rows!" from counted where count > 0"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| Astray { table: row.table, rows: row.rows }).collect())
}

impl std::fmt::Display for Astray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.rows, self.table)
    }
}
