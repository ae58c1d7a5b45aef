//! Workers are given work: one statement for everybody who asked for the same.

use crate::ids::ActorId;
use crate::store::error::{Error, Result};
use ::jobs::wire::Lease;
use ::jobs::{JobId, LeaseToken, Work};
use serde_json::json;
use sqlx::PgConnection;
use std::cmp::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// What several workers ask for alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    pub queue: String,
    pub capabilities: Vec<String>,
    /// Gets the jobs of that device and those addressed to none.
    pub instrument: Option<String>,
}

/// A lease and whom it was given to.
#[derive(Clone, Debug, PartialEq)]
pub struct Leased {
    pub worker: ActorId,
    pub lease: Lease,
    /// How long it had been ready.
    pub dwell: Duration,
    /// Where it stood.
    pub place: Place,
}

/// A place in a queue's order: the highest priority first, then who became ready first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub priority: i16,
    pub ready_order: i64,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        other.priority.cmp(&self.priority).then(self.ready_order.cmp(&other.ready_order))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    /// Before everybody.
    pub const FIRST: Self = Self { priority: i16::MAX, ready_order: i64::MIN };
}

/// Gives the next jobs that fit to `workers`, at most one each, for `duration` of real time.
///
/// Nothing that is paused is given (`job_barred` says the same), nothing for devices or hands while the laboratory
/// is stopped. An instrument that drains is given only what belongs to plates that have begun, one in maintenance
/// or retired nothing. Hands are given nothing
/// in a life of the database that is not reconciled; this statement asks for the life that answers it, so that no
/// failover can slip in between. Nobody waits for anybody: what another transaction is giving away is skipped.
///
/// Nobody waits for the disk: nothing may begin before a start is confirmed, whose commit does wait, and with it for all
/// that was written before. After a crash that took a lease the job is ready as it was, and whoever was given it has no
/// authority. (So it is a transaction of its own: its commit holds for whatever else is in it.)
///
/// Goes through the lanes that the workers can serve (a capability, addressed to their device or to any), and takes the
/// first of them all: what is ready in other lanes costs nothing. What is picked is taken out as an array: joined to
/// it, a plan that holds for any number of workers would read the whole table.
pub async fn lease(
    conn: &mut PgConnection,
    wanted: &Wanted,
    workers: &[ActorId],
    duration: Duration,
) -> Result<Vec<Leased>> {
    lease_from(conn, wanted, workers, duration, Place::FIRST).await
}

/// The same, beginning at `start`: in the order of what was leased, and what became ready before it or with more
/// priority, or is of less priority and older, is not seen. Rows that are gone and that an open snapshot keeps lie
/// before what is ready, and a search from the beginning passes over each of them.
pub async fn lease_from(
    conn: &mut PgConnection,
    wanted: &Wanted,
    workers: &[ActorId],
    duration: Duration,
    start: Place,
) -> Result<Vec<Leased>> {
    let workers: Vec<Uuid> = workers.iter().map(|worker| worker.0).collect();
    let rows = sqlx::query!(
        r#"with at_once as materialized (
             select set_config('synchronous_commit', 'off', true)
         ), picked as materialized (
             select next.job_id
             from unnest($2::text[]) as lane (capability)
             cross join (values (''), ($3)) as addressed (instrument)
             cross join lateral (
                 select job_id, priority, ready_order
                 from job_ready
                 where queue = $1
                     and capability = lane.capability
                     and coalesce(instrument, '') = addressed.instrument
                     and priority <= $6
                     and ready_order >= $7
                     and (retry_at is null or retry_at <= now())
                     and (deadline_lab_at is null or deadline_lab_at >= (select lab_now()))
                     and not exists (
                         select from instrument
                         where name = $3
                             and (state in ('maintenance', 'retired')
                                 or (state = 'draining' and not plate_begun(job_ready.plate_id))))
                     and not exists (
                         select from hold
                         where hold.subject_id in (job_ready.job_id, job_ready.round_id, job_ready.campaign_id)
                             and (manner = 'pause'
                                 or (subject = 'round' and not plate_begun(job_ready.plate_id))))
                     and not (
                         $1 in ('bench', 'people')
                         and exists (select from laboratory_stop where lifted_at is null))
                     and ($1 in ('learner', 'predict') or exists (
                         select from reconciliation where epoch = database_epoch() and closed_at is not null
                     ))
                 order by priority desc, ready_order
                 limit cardinality($4::uuid[])
                 for update skip locked
             ) as next
             order by priority desc, ready_order
             limit cardinality($4::uuid[])
         ), taken as (
             delete from job_ready
             where job_id = any(array(select job_id from picked))
             returning job_id, attempt, deadline_lab_at, greatest(ready_at, retry_at) as ready_at, priority, ready_order
         ), numbered as (
             select job_id, attempt, deadline_lab_at, row_number() over () as place
             from taken
         ), leased as (
             insert into lease (job_id, lease_token, worker, instrument, phase, attempt, expires_at, deadline_lab_at)
             select job_id, gen_random_uuid(), worker, $3, 'leased', attempt + 1,
                 now() + make_interval(secs => $5), deadline_lab_at
             from numbered
             join unnest($4::uuid[]) with ordinality as asking (worker, place) using (place)
             returning job_id, lease_token, worker, attempt, deadline_lab_at
         )
         select leased.job_id, lease_token, worker, leased.attempt, leased.deadline_lab_at,
             job.kind, job.payload, job.repeatable,
             extract(epoch from now() - taken.ready_at)::float8 as "dwell_seconds!", taken.priority, taken.ready_order
         from leased
         join taken on taken.job_id = leased.job_id
         join job on job.id = leased.job_id
         cross join at_once"#,
        wanted.queue,
        &wanted.capabilities,
        wanted.instrument,
        &workers,
        duration.as_secs_f64(),
        start.priority,
        start.ready_order
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let lease = Lease {
                job_id: JobId(row.job_id),
                lease_token: LeaseToken(row.lease_token),
                attempt: u32::try_from(row.attempt).map_err(|error| Error::corrupt("attempt", error))?,
                expires_in_seconds: whole_seconds(duration),
                repeatable: row.repeatable,
                deadline_lab_at: row.deadline_lab_at,
                work: work(&row.kind, row.payload)?,
            };
            let dwell = Duration::try_from_secs_f64(row.dwell_seconds.max(0.0)).unwrap_or_default();
            let place = Place { priority: row.priority, ready_order: row.ready_order };
            Ok(Leased { worker: ActorId(row.worker), lease, dwell, place })
        })
        .collect()
}

/// The lanes of `queue` in which something is ready: `(capability, instrument)`, once each. Goes from lane to lane
/// through the index, however many jobs each holds.
pub async fn on_offer(conn: &mut PgConnection, queue: &str) -> Result<Vec<(String, Option<String>)>> {
    let rows = sqlx::query!(
        r#"with recursive lane as (
             (
                 select capability, coalesce(instrument, '') as instrument
                 from job_ready
                 where queue = $1
                 order by capability, coalesce(instrument, '')
                 limit 1
             )
             union all
             select next.capability, next.instrument
             from lane
             cross join lateral (
                 select capability, coalesce(instrument, '') as instrument
                 from job_ready
                 where queue = $1
                     and (capability, coalesce(instrument, '')) > (lane.capability, lane.instrument)
                 order by capability, coalesce(instrument, '')
                 limit 1
             ) as next
         )
         select capability as "capability!", nullif(instrument, '') as instrument from lane"#,
        queue
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.capability, row.instrument)).collect())
}

/// Kind and payload as the work that they say.
pub(super) fn work(kind: &str, payload: serde_json::Value) -> Result<Work> {
    serde_json::from_value(json!({"kind": kind, "payload": payload}))
        .map_err(|error| Error::corrupt("work", error))
}

/// As it is told to workers: rounded down, so that they never believe in more than they have.
pub(super) fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
