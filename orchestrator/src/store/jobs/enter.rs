//! New jobs on their way into the queue: rows, what they wait for, and where that puts them.

use super::create::{NewJob, dependency_failed};
use super::dependents::{self, Terms};
use super::settle::{self, Consequences, Ending};
use crate::ids::SYSTEM;
use crate::store::error::{Error, Result};
use ::jobs::{JobId, Work};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// Writes the rows of `jobs` with their dependencies. Answers which are new; of the others there was one of the same
/// unique key.
pub(super) async fn insert(conn: &mut PgConnection, jobs: &[NewJob]) -> Result<BTreeSet<JobId>> {
    let payloads: Vec<serde_json::Value> =
        jobs.iter().map(|job| payload(&job.work)).collect::<Result<_>>()?;
    let kinds = || jobs.iter().map(|job| job.work.kind());
    let inserted = sqlx::query_scalar!(
        "insert into job (
             id, kind, queue, capability, instrument, priority, repeatable, max_attempts, payload,
             campaign_id, round_id, plate_id, resource, replaces, unique_key
         )
         select * from unnest(
             $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::bool[], $8::int[],
             $9::jsonb[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::uuid[], $15::text[])
         on conflict (unique_key) do nothing
         returning id",
        &jobs.iter().map(|job| job.id.0).collect::<Vec<Uuid>>(),
        &kinds().map(|kind| kind.as_str().to_owned()).collect::<Vec<String>>(),
        &jobs.iter().map(|job| job.queue().to_owned()).collect::<Vec<String>>(),
        &jobs.iter().map(|job| job.capability().to_owned()).collect::<Vec<String>>(),
        &texts(jobs, |job| job.instrument.clone()) as &[Option<String>],
        &jobs.iter().map(|job| job.priority).collect::<Vec<i16>>(),
        &kinds().map(|kind| kind.is_repeatable()).collect::<Vec<bool>>(),
        &jobs.iter().map(|job| i32::try_from(job.max_attempts).unwrap_or(i32::MAX)).collect::<Vec<i32>>(),
        &payloads,
        &uuids(jobs, |job| job.campaign_id.map(|id| id.0)) as &[Option<Uuid>],
        &uuids(jobs, |job| job.round_id.map(|id| id.0)) as &[Option<Uuid>],
        &uuids(jobs, |job| job.plate_id.map(|id| id.0)) as &[Option<Uuid>],
        &texts(jobs, |job| job.resource.clone()) as &[Option<String>],
        &uuids(jobs, |job| job.replaces.map(|id| id.0)) as &[Option<Uuid>],
        &texts(jobs, |job| job.unique_key.clone()) as &[Option<String>]
    )
    .fetch_all(&mut *conn)
    .await?;
    let inserted: BTreeSet<JobId> = inserted.into_iter().map(JobId).collect();
    depend(conn, jobs.iter().filter(|job| inserted.contains(&job.id))).await?;
    Ok(inserted)
}

fn texts(jobs: &[NewJob], of: fn(&NewJob) -> Option<String>) -> Vec<Option<String>> {
    jobs.iter().map(of).collect()
}

fn uuids(jobs: &[NewJob], of: fn(&NewJob) -> Option<Uuid>) -> Vec<Option<Uuid>> {
    jobs.iter().map(of).collect()
}

/// The inner payload: the kind has its own column.
fn payload(work: &Work) -> Result<serde_json::Value> {
    let mut value = serde_json::to_value(work).map_err(|error| Error::corrupt("work", error))?;
    value
        .as_object_mut()
        .and_then(|members| members.remove("payload"))
        .ok_or_else(|| Error::corrupt("work", "without a payload"))
}

async fn depend(conn: &mut PgConnection, jobs: impl Iterator<Item = &NewJob>) -> Result<()> {
    let all: Vec<_> = jobs.flat_map(|job| job.dependencies.iter().map(|on| (job.id, on))).collect();
    if all.is_empty() {
        return Ok(());
    }
    let seconds = |delay: Duration| i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
    sqlx::query!(
        "insert into job_dependency (job_id, depends_on, requires, min_delay_seconds, max_delay_seconds)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[])",
        &all.iter().map(|(job, _)| job.0).collect::<Vec<Uuid>>(),
        &all.iter().map(|(_, on)| on.job_id.0).collect::<Vec<Uuid>>(),
        &all.iter().map(|(_, on)| on.requires.as_str().to_owned()).collect::<Vec<String>>(),
        &all.iter().map(|(_, on)| seconds(on.min_delay)).collect::<Vec<i64>>(),
        &all.iter().map(|(_, on)| on.max_delay.map(seconds)).collect::<Vec<Option<i64>>>()
            as &[Option<i64>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The jobs that have the unique keys of `jobs`.
pub(super) async fn existing(conn: &mut PgConnection, jobs: &[NewJob]) -> Result<BTreeMap<String, JobId>> {
    let keys: Vec<String> = jobs.iter().filter_map(|job| job.unique_key.clone()).collect();
    let rows =
        sqlx::query!(r#"select unique_key as "unique_key!", id from job where unique_key = any($1)"#, &keys)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|row| (row.unique_key, JobId(row.id))).collect())
}

/// Puts new jobs where their terms say: among the ready, in their order, or among the waiting; those that can never
/// be done fail, last, so that whoever waits for them fails with them. Answers what that did, for each of them.
pub(super) async fn place(
    conn: &mut PgConnection,
    jobs: &[&NewJob],
) -> Result<BTreeMap<JobId, Consequences>> {
    let mut terms = dependents::terms(conn, jobs).await?;
    let with_terms = jobs.iter().filter_map(|job| Some((*job, terms.remove(&job.id)?)));
    let (lost, possible): (Vec<_>, Vec<_>) =
        with_terms.partition(|(_, terms)| terms.failed_upstream.is_some());
    let (ready, waiting): (Vec<_>, Vec<_>) = possible.into_iter().partition(|(_, terms)| terms.is_ready());
    insert_ready(conn, &ready).await?;
    insert_waiting(conn, &waiting).await?;
    let of_ready = ready.iter().map(|(job, _)| (job.id, Consequences::ready(job.queue())));
    let of_waiting = waiting.iter().map(|(job, _)| (job.id, Consequences::default()));
    let mut consequences: BTreeMap<JobId, Consequences> = of_ready.chain(of_waiting).collect();
    for (job, terms) in lost {
        let Some(upstream) = terms.failed_upstream else { continue };
        let ending = Ending::Failed(dependency_failed(upstream));
        let decided = settle::Decided::by_the_queue(SYSTEM);
        consequences.insert(job.id, settle::settle(conn, job.id, &ending, decided).await?);
    }
    Ok(consequences)
}

async fn insert_ready(conn: &mut PgConnection, ready: &[(&NewJob, Terms)]) -> Result<()> {
    if ready.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into job_ready
             (job_id, queue, capability, instrument, priority, deadline_lab_at, round_id, campaign_id, plate_id)
         select job.id, queue, capability, instrument, priority, given.deadline_lab_at, round_id, campaign_id, plate_id
         from unnest($1::uuid[], $2::timestamptz[]) with ordinality as given (id, deadline_lab_at, place)
         join job on job.id = given.id
         order by place",
        &ready.iter().map(|(job, _)| job.id.0).collect::<Vec<Uuid>>(),
        &ready.iter().map(|(_, terms)| terms.deadline_lab_at).collect::<Vec<_>>() as &[Option<_>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_waiting(conn: &mut PgConnection, waiting: &[(&NewJob, Terms)]) -> Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into job_waiting (job_id, unmet, not_before_lab_at, deadline_lab_at)
         select * from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::timestamptz[])",
        &waiting.iter().map(|(job, _)| job.id.0).collect::<Vec<Uuid>>(),
        &waiting.iter().map(|(_, terms)| terms.unmet).collect::<Vec<i32>>(),
        &waiting.iter().map(|(_, terms)| terms.not_before_lab_at).collect::<Vec<_>>() as &[Option<_>],
        &waiting.iter().map(|(_, terms)| terms.deadline_lab_at).collect::<Vec<_>>() as &[Option<_>]
    )
    .execute(conn)
    .await?;
    Ok(())
}
