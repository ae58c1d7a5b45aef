//! What a scrape reads: one statement, a row a number. Figures over tables that only grow are kept to indexes or to
//! rows that are few (rounds, plates), so that it stays cheap.

use super::error::Result;
use sqlx::PgConnection;

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// A name of `metrics::DATABASE_METRICS`.
    pub metric: String,
    /// Values of its labels, in their order.
    pub labels: Vec<String>,
    pub value: f64,
}

/// Campaigns and instruments shown at most.
const MOST: i64 = 50;

/// Reads them all; `conn` acts as the application's role.
pub async fn samples(conn: &mut PgConnection) -> Result<Vec<Sample>> {
    let rows = sqlx::query!(
        r#"with stage as (
             select stage, extract(epoch from next_lab_at - entered_lab_at) as seconds
             from (
                 select stage, entered_lab_at,
                     lead(entered_lab_at) over (partition by round_id order by entry) as next_lab_at
                 from round_stage
             ) as entered
             where next_lab_at is not null
         ), bound (le, below) as (
             values ('1', 1::numeric), ('60', 60), ('600', 600), ('3600', 3600), ('14400', 14400), ('43200', 43200),
                 ('86400', 86400), ('172800', 172800), ('345600', 345600), ('604800', 604800),
                 ('1209600', 1209600), ('+Inf', 'Infinity')
         ), in_use as (
             select project.name as project, campaign.name, model_version.number, model_version.metrics
             from model_version
             join campaign on campaign.id = model_version.campaign_id
             join project on project.id = campaign.project_id
             where model_version.state = 'promoted'
             order by model_version.created_at desc
             limit $1
         )
         select 'queue_ready_jobs' as "metric!", array[queue, capability] as "labels!", count(*)::float8 as "value!"
         from job_ready group by queue, capability
         union all
         select 'queue_oldest_ready_seconds', array[queue, capability],
             extract(epoch from now() - min(greatest(ready_at, retry_at)))::float8
         from job_ready
         left join instrument on instrument.name = job_ready.instrument
         where (retry_at is null or retry_at <= now())
             and (deadline_lab_at is null or deadline_lab_at >= lab_now())
             and (instrument.state in ('maintenance', 'retired')
                 or (instrument.state = 'draining' and not plate_begun(job_ready.plate_id))) is not true
             and not exists (select from hold where subject_id = job_ready.job_id and manner = 'pause')
             and not exists (
                 select from hold
                 where subject_id = job_ready.round_id
                     and (manner = 'pause' or not plate_begun(job_ready.plate_id)))
             and not exists (select from hold where subject_id = job_ready.campaign_id and manner = 'pause')
             and not (
                 queue in ('bench', 'people')
                 and exists (select from laboratory_stop where lifted_at is null))
             and (queue in ('learner', 'predict') or exists (
                 select from reconciliation where epoch = database_epoch() and closed_at is not null))
         group by queue, capability
         union all
         select 'queue_waiting_jobs', array[queue], count(*)::float8
         from job_waiting join job on job.id = job_waiting.job_id group by queue
         union all
         select 'leases', array[queue, phase], count(*)::float8
         from lease join job on job.id = lease.job_id group by queue, phase
         union all
         select 'leases_expired', '{}', count(*)::float8 from lease where expires_at < now()
         union all
         select 'jobs_in_doubt', '{}', count(*)::float8 from job_in_doubt
         union all
         select 'jobs_in_doubt_oldest_seconds', '{}',
             coalesce(extract(epoch from now() - min(since)), 0)::float8 from job_in_doubt
         union all
         select 'settlements', '{}', count(*)::float8 from settlement
         union all
         select 'rounds', array[state], count(*)::float8 from round group by state
         union all
         select 'round_stage_lab_seconds_bucket', array[stage, le], count(*) filter (where seconds <= below)::float8
         from stage, bound group by stage, le
         union all
         select 'round_stage_lab_seconds_sum', array[stage], sum(seconds)::float8 from stage group by stage
         union all
         select 'round_stage_lab_seconds_count', array[stage], count(*)::float8 from stage group by stage
         union all
         select 'batches_waiting', '{}', count(*)::float8 from batch where state = 'awaiting_approval'
         union all
         select 'batch_oldest_waiting_seconds', '{}',
             coalesce(extract(epoch from now() - min(created_at)), 0)::float8
         from batch where state = 'awaiting_approval'
         union all
         select 'plates', array[state], count(*)::float8 from plate group by state
         union all
         select 'tasks_open', array[cause], count(*)::float8 from task where closed_at is null group by cause
         union all
         select 'model_promoted_version', array[project, name], max(number)::float8 from in_use group by project, name
         union all
         select metric, array[project, name], max((metrics ->> member)::float8)
         from in_use, (values
             ('model_held_out_log_score', 'held_out_log_score'),
             ('model_coverage_90_ratio', 'coverage_90'),
             ('model_hit_calibration_error_ratio', 'hit_ece')) as shown (metric, member)
         where metrics ->> member is not null group by metric, project, name
         union all
         (select 'instrument_silent_seconds', array[name], extract(epoch from now() - last_seen_at)::float8
          from instrument where state = 'in_service' and last_seen_at is not null order by last_seen_at limit $1)
         union all
         select 'outbox_entries', '{}', count(*)::float8 from outbox
         union all
         select 'outbox_oldest_seconds', '{}', coalesce(extract(epoch from now() - min(created_at)), 0)::float8
         from outbox
         union all
         select 'deliveries', array[state], count(*)::float8
         from delivery
         where state <> 'dead' or exists (select from channel where channel.id = channel_id and enabled)
         group by state
         union all
         select 'notifications_open', array[topic, severity], count(*)::float8
         from notification where state <> 'closed' group by topic, severity
         union all
         select 'audit_position', '{}', position::float8 from event_sealer
         union all
         select 'events_unsealed', '{}', count(*)::float8
         from event
         where xid >= (select sealed_below from event_sealer)
             and not exists (select from event_seal where event_seal.event_id = event.id)
         union all
         select 'events_unsealed_oldest_seconds', '{}',
             coalesce(extract(epoch from now() - min(happened_at)), 0)::float8
         from event
         where xid >= (select sealed_below from event_sealer)
             and not exists (select from event_seal where event_seal.event_id = event.id)
         union all
         select 'schema_version', '{}', max(version)::float8 from _sqlx_migrations
         union all
         select 'database_oldest_snapshot_seconds', '{}',
             coalesce(extract(epoch from now() - min(xact_start)), 0)::float8
         from pg_stat_activity where backend_xmin is not null and pid <> pg_backend_pid()
         union all
         select 'database_statistics_visible', '{}',
             (pg_has_role(current_user, 'pg_read_all_stats', 'usage'))::int::float8
         union all
         select 'database_dead_tuples', array[relname::text], n_dead_tup::float8
         from pg_stat_user_tables where relname in ('job_ready', 'job_waiting', 'lease', 'settlement', 'outbox')"#,
        MOST
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Sample { metric: row.metric, labels: row.labels, value: row.value })
        .collect())
}
