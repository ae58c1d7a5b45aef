//! Chains of jobs around a plate: who comes next on a deck or a reader, what is open, what must be made
//! anew after a chain broke.

use super::Result;
use super::jobs::{Dependency, NewJob, Requires};
use super::moved::corrupt;
use super::settlements::work;
use crate::campaigns::spec::Bench;
use crate::ids::{CampaignId, PlateId, RoundId};
use jobs::{JobId, Work};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::time::Duration;

/// One planner at a time on the devices of a bench: holds their rows until the transaction ends.
pub async fn lock_bench(conn: &mut PgConnection, bench: &Bench) -> Result<()> {
    let names = [&bench.handler, &bench.incubator, &bench.reader, &bench.mover].map(Clone::clone);
    sqlx::query_scalar!(
        "select name from instrument where name = any($1) order by name for no key update",
        &names
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Jobs on `resource` that a new chain must wait for: live (or ended badly with the place not clear), and
/// not followed by another live job on it.
pub async fn last_on_resource(conn: &mut PgConnection, resource: &str) -> Result<Vec<JobId>> {
    let ids = sqlx::query_scalar!(
        "with live as (
             select job.id
             from job
             left join job_outcome on job_outcome.job_id = job.id
             left join resource_held on resource_held.job_id = job.id
             where job.resource = $1
               and (job_outcome.job_id is null or resource_held.job_id is not null)
         )
         select id
         from live
         where not exists (
             select from job_dependency
             join live as later on later.id = job_dependency.job_id
             where job_dependency.depends_on = live.id)
         order by id",
        resource
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Whether a plate has jobs that are not settled, or whose consequences are not drawn.
pub async fn is_open(conn: &mut PgConnection, plate: PlateId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from job
               left join job_outcome on job_outcome.job_id = job.id
               left join settlement on settlement.job_id = job.id
               where job.plate_id = $1
                 and (job_outcome.job_id is null or settlement.job_id is not null)) as "open!""#,
        plate.0
    )
    .fetch_one(conn)
    .await?)
}

/// Jobs of the plate that are not settled.
pub async fn unsettled(conn: &mut PgConnection, plate: PlateId) -> Result<Vec<JobId>> {
    let ids = sqlx::query_scalar!(
        "select id
         from job
         left join job_outcome on job_outcome.job_id = job.id
         where job.plate_id = $1 and job_outcome.job_id is null
         order by id",
        plate.0
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Jobs of a round (or of all live rounds of a campaign) that are not settled.
pub async fn unsettled_of_round(conn: &mut PgConnection, round: RoundId) -> Result<Vec<JobId>> {
    let ids = sqlx::query_scalar!(
        "select id
         from job
         left join job_outcome on job_outcome.job_id = job.id
         where job.round_id = $1 and job_outcome.job_id is null
         order by id",
        round.0
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// A place that jobs of a plate ended badly on, and which is not known to be clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub job_id: JobId,
    pub resource: String,
    /// Some job of the plate had begun on this resource: its plates may stand there.
    pub begun: bool,
}

/// The places that the plate's jobs still hold.
pub async fn held(conn: &mut PgConnection, plate: PlateId) -> Result<Vec<Held>> {
    let rows = sqlx::query!(
        r#"select resource_held.job_id, job.resource as "resource!",
                  exists (
                      select from job as sibling
                      join job_attempt on job_attempt.job_id = sibling.id
                      where sibling.plate_id = job.plate_id
                        and sibling.resource = job.resource
                        and job_attempt.started_at is not null) as "begun!"
           from resource_held
           join job on job.id = resource_held.job_id
           where job.plate_id = $1
           order by job.id"#,
        plate.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Held { job_id: row.job_id.into(), resource: row.resource, begun: row.begun })
        .collect())
}

/// A plate that has ended, or whose round has, and that still stands on a device or holds a place there, although nothing
/// of its work is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    pub plate_id: PlateId,
    pub round_id: RoundId,
    /// Its mover tried, and could not.
    pub mover_failed: bool,
}

/// Whether a mover began to carry this plate, and could not.
pub async fn mover_failed(conn: &mut PgConnection, plate: PlateId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from job
               join job_outcome on job_outcome.job_id = job.id
               where job.plate_id = $1
                 and job.kind = 'move'
                 and job_outcome.state = 'failed'
                 and job_outcome.failure ->> 'code' <> 'job.not_done'
                 and exists (
                     select from job_attempt
                     where job_attempt.job_id = job.id and job_attempt.started_at is not null)
           ) as "failed!""#,
        plate.0
    )
    .fetch_one(conn)
    .await?)
}

/// At most `limit` of them. In a live round not those that hold a place: a person resumes that one.
pub async fn strays(conn: &mut PgConnection, limit: i64) -> Result<Vec<Stray>> {
    let rows = sqlx::query!(
        r#"select stray_plate.plate_id as "plate_id!", stray_plate.round_id as "round_id!",
                  exists (
                      select from job
                      join job_outcome on job_outcome.job_id = job.id
                      where job.plate_id = stray_plate.plate_id
                        and job.kind = 'move'
                        and job_outcome.state = 'failed'
                        and job_outcome.failure ->> 'code' <> 'job.not_done'
                        and exists (
                            select from job_attempt
                            where job_attempt.job_id = job.id and job_attempt.started_at is not null)
                  ) as "mover_failed!"
           from stray_plate
           order by plate_id
           limit $1"#,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Stray {
            plate_id: PlateId(row.plate_id),
            round_id: RoundId(row.round_id),
            mover_failed: row.mover_failed,
        })
        .collect())
}

/// Whether it is one still. The caller holds its round's lock.
pub async fn is_stray(conn: &mut PgConnection, plate: PlateId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from stray_plate where plate_id = $1) as "stray!""#,
        plate.0
    )
    .fetch_one(conn)
    .await?)
}

/// Jobs of a plate to be made anew: they ended without success and nobody does them instead. With
/// `only_held`, those alone that still hold their place. In the order they were made.
pub async fn broken(conn: &mut PgConnection, plate: PlateId, only_held: bool) -> Result<Vec<NewJob>> {
    let rows = sqlx::query!(
        r#"select job.id, kind, payload, queue, instrument, priority, max_attempts, campaign_id, round_id, resource
           from job
           join job_outcome on job_outcome.job_id = job.id
           left join resource_held on resource_held.job_id = job.id
           where job.plate_id = $1
             and job_outcome.state in ('failed', 'cancelled')
             and not exists (select from job as other where other.replaces = job.id)
             and (resource_held.job_id is not null or not $2)
           order by job.id"#,
        plate.0,
        only_held
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut anew: BTreeMap<JobId, JobId> = BTreeMap::new();
    let mut jobs = Vec::new();
    for row in rows {
        let old = JobId(row.id);
        let mut job = NewJob::new(work(&row.kind, row.payload)?);
        job.instrument = row.instrument;
        job.by_hand = row.queue == "people";
        job.priority = row.priority;
        job.max_attempts = u32::try_from(row.max_attempts).map_err(corrupt)?;
        job.campaign_id = row.campaign_id.map(CampaignId);
        job.round_id = row.round_id.map(RoundId);
        job.plate_id = Some(plate);
        job.resource = row.resource;
        job.replaces = Some(old);
        job.dependencies = dependencies(conn, old, &anew).await?;
        anew.insert(old, job.id);
        jobs.push(job);
    }
    Ok(jobs)
}

/// What `old` waited for, with those that are made anew in the place of their predecessors. What else did
/// not succeed is left out: it is no longer to be waited for.
async fn dependencies(
    conn: &mut PgConnection,
    old: JobId,
    anew: &BTreeMap<JobId, JobId>,
) -> Result<Vec<Dependency>> {
    let rows = sqlx::query!(
        r#"select depends_on, requires, min_delay_seconds, max_delay_seconds,
                  job_outcome.state in ('failed', 'cancelled', 'plate_lost') as lost
           from job_dependency
           left join job_outcome on job_outcome.job_id = depends_on
           where job_dependency.job_id = $1
           order by depends_on"#,
        old.0
    )
    .fetch_all(conn)
    .await?;
    let seconds = |seconds: i64| u64::try_from(seconds).map(Duration::from_secs).map_err(corrupt);
    let mut dependencies = Vec::new();
    for row in rows {
        let upstream = JobId(row.depends_on);
        let requires = if row.requires == "end" { Requires::End } else { Requires::Success };
        let job_id = match anew.get(&upstream) {
            Some(instead) => *instead,
            None if row.lost == Some(true) && requires == Requires::Success => continue,
            None => upstream,
        };
        dependencies.push(Dependency {
            job_id,
            requires,
            min_delay: seconds(row.min_delay_seconds)?,
            max_delay: row.max_delay_seconds.map(seconds).transpose()?,
        });
    }
    Ok(dependencies)
}

/// What a job was asked to do.
pub async fn work_of(conn: &mut PgConnection, job: JobId) -> Result<Option<Work>> {
    let row = sqlx::query!("select kind, payload from job where id = $1", job.0).fetch_optional(conn).await?;
    row.map(|row| work(&row.kind, row.payload)).transpose()
}

/// A training of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Training {
    pub job_id: JobId,
    /// Its consequences are drawn: the version is judged, or a person was told.
    pub drawn: bool,
}

/// The newest training that was asked for.
pub async fn last_training(conn: &mut PgConnection, campaign: CampaignId) -> Result<Option<Training>> {
    let row = sqlx::query!(
        r#"select job.id, (job_outcome.job_id is not null and settlement.job_id is null) as "drawn!"
           from job
           left join job_outcome on job_outcome.job_id = job.id
           left join settlement on settlement.job_id = job.id
           where job.campaign_id = $1 and job.kind = 'train'
           order by job.created_at desc, job.id desc
           limit 1"#,
        campaign.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Training { job_id: row.id.into(), drawn: row.drawn }))
}

/// Whether another round of the campaign has a learner choose its batch now: what it will ask for is not known
/// yet. One that is held does not count: nobody knows for how long.
pub async fn others_propose(conn: &mut PgConnection, campaign: CampaignId, round: RoundId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from round
               join job on job.round_id = round.id
               left join job_outcome on job_outcome.job_id = job.id
               left join settlement on settlement.job_id = job.id
               where round.campaign_id = $1
                 and round.id <> $2
                 and round.state = 'proposing'
                 and job.kind = 'propose'
                 and (job_outcome.job_id is null or settlement.job_id is not null)) as "propose!""#,
        campaign.0,
        round.0
    )
    .fetch_one(conn)
    .await?)
}
