//! Workers are given work: one statement for everybody who asked for the same.

use crate::ids::ActorId;
use crate::store::error::{Error, Result};
use ::jobs::wire::Lease;
use ::jobs::{JobId, LeaseToken, Work};
use serde_json::json;
use sqlx::PgConnection;
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
}

/// Gives the next jobs that fit to `workers`, at most one each, for `duration` of real time.
///
/// An instrument that is not in service is given nothing. Nobody waits for anybody: what another
/// transaction is giving away is skipped.
pub async fn lease(
    conn: &mut PgConnection,
    wanted: &Wanted,
    workers: &[ActorId],
    duration: Duration,
) -> Result<Vec<Leased>> {
    let workers: Vec<Uuid> = workers.iter().map(|worker| worker.0).collect();
    let rows = sqlx::query!(
        r#"with picked as materialized (
             select job_id, attempt, deadline_lab_at
             from job_ready
             where queue = $1
                 and capability = any($2)
                 and (instrument is null or instrument = $3)
                 and (retry_at is null or retry_at <= now())
                 and (deadline_lab_at is null or deadline_lab_at >= (select lab_now()))
                 and not exists (select from instrument where name = $3 and state <> 'in_service')
             order by priority desc, ready_order
             limit cardinality($4::uuid[])
             for update skip locked
         ), taken as (
             delete from job_ready
             using picked
             where job_ready.job_id = picked.job_id
             returning picked.job_id, picked.attempt, picked.deadline_lab_at
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
         select leased.job_id, lease_token, worker, attempt, deadline_lab_at, job.kind, job.payload, job.repeatable
         from leased
         join job on job.id = leased.job_id"#,
        wanted.queue,
        &wanted.capabilities,
        wanted.instrument,
        &workers,
        duration.as_secs_f64()
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
            Ok(Leased { worker: ActorId(row.worker), lease })
        })
        .collect()
}

/// What is ready in `queue` that anybody could be given now: `(capability, instrument)`, once each.
pub async fn on_offer(conn: &mut PgConnection, queue: &str) -> Result<Vec<(String, Option<String>)>> {
    let rows = sqlx::query!(
        "select distinct capability, instrument
         from job_ready
         where queue = $1 and (retry_at is null or retry_at <= now())",
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
