//! Who waits for whom: terms of a new job, and what an ending means for those that waited for it.
//!
//! A new job locks the rows of the jobs it depends on for share; an ending locks its own row against that.
//! So a dependency is either counted at creation or met by the ending, never both and never neither.

use super::create::NewJob;
use crate::store::error::Result;
use ::jobs::JobId;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// When a job may begin, as far as it is known.
pub(super) struct Terms {
    /// Dependencies that have not ended yet.
    pub unmet: i32,
    pub not_before_lab_at: Option<DateTime<Utc>>,
    pub deadline_lab_at: Option<DateTime<Utc>>,
    /// One that had to succeed and did not.
    pub failed_upstream: Option<JobId>,
    /// Its time has come.
    due: bool,
}

impl Terms {
    /// Of a job that waits for nothing.
    const NONE: Terms =
        Terms { unmet: 0, not_before_lab_at: None, deadline_lab_at: None, failed_upstream: None, due: true };

    pub fn is_ready(&self) -> bool {
        self.unmet == 0 && self.due
    }
}

/// What the dependencies of each of these new jobs say by now, on top of its own times. Whom else they depend on is
/// locked; among themselves nobody else knows of them yet.
pub(super) async fn terms(conn: &mut PgConnection, jobs: &[&NewJob]) -> Result<BTreeMap<JobId, Terms>> {
    let at_once = |job: &&NewJob| {
        job.dependencies.is_empty() && job.not_before_lab_at.is_none() && job.deadline_lab_at.is_none()
    };
    if jobs.iter().all(at_once) {
        return Ok(jobs.iter().map(|job| (job.id, Terms::NONE)).collect());
    }
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.0).collect();
    if jobs.iter().any(|job| !job.dependencies.is_empty()) {
        sqlx::query!(
            "select id
             from job
             where id in (select depends_on from job_dependency where job_id = any($1))
                 and id <> all($1)
             order by id
             for share",
            &ids
        )
        .fetch_all(&mut *conn)
        .await?;
    }
    let rows = sqlx::query!(
        r#"select
             given.id as "id!",
             (count(job_dependency.job_id) filter (
                 where job_outcome.job_id is null
                     or (requires = 'end' and resource_held.job_id is not null)
             ))::integer as "unmet!",
             greatest(given.not_before_lab_at, max(began_lab_at + make_interval(secs => min_delay_seconds)))
                 as not_before_lab_at,
             least(given.deadline_lab_at, min(began_lab_at + make_interval(secs => max_delay_seconds)))
                 as deadline_lab_at,
             (array_agg(depends_on) filter (
                 where requires = 'success' and job_outcome.state <> 'succeeded'
             ))[1] as failed_upstream,
             coalesce(
                 greatest(given.not_before_lab_at, max(began_lab_at + make_interval(secs => min_delay_seconds)))
                     <= lab_now(), true) as "due!"
         from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
             as given (id, not_before_lab_at, deadline_lab_at)
         left join job_dependency on job_dependency.job_id = given.id
         left join job_outcome on job_outcome.job_id = depends_on
         left join lateral (
             select settled_lab_at - case when min_delay_seconds > 0 or max_delay_seconds is not null
                 then heard_late(depends_on) else interval '0' end as began_lab_at) as began on true
         left join resource_held on resource_held.job_id = depends_on
         group by given.id, given.not_before_lab_at, given.deadline_lab_at"#,
        &ids,
        &jobs.iter().map(|job| job.not_before_lab_at).collect::<Vec<_>>() as &[Option<_>],
        &jobs.iter().map(|job| job.deadline_lab_at).collect::<Vec<_>>() as &[Option<_>]
    )
    .fetch_all(conn)
    .await?;
    let terms = rows.into_iter().map(|row| {
        let terms = Terms {
            unmet: row.unmet,
            not_before_lab_at: row.not_before_lab_at,
            deadline_lab_at: row.deadline_lab_at,
            failed_upstream: row.failed_upstream.map(JobId),
            due: row.due,
        };
        (JobId(row.id), terms)
    });
    Ok(terms.collect())
}

/// What an ending did to those that waited for it.
#[derive(Default)]
pub(super) struct Advanced {
    /// Taken out of the waiting: they can never be done.
    pub impossible: Vec<JobId>,
    /// Queues that got work.
    pub queues: Vec<String>,
}

/// Counts the ending of `upstream` with everybody who waited for it. Who waits for its `end` on a resource
/// that it may have left occupied goes on waiting, for [`super::resource::clear`].
pub(super) async fn advance(conn: &mut PgConnection, upstream: JobId, succeeded: bool) -> Result<Advanced> {
    let waiting = lock_waiting(conn, &[upstream.0]).await?;
    if waiting.is_empty() {
        return Ok(Advanced::default());
    }
    let impossible = if succeeded { Vec::new() } else { take_impossible(conn, upstream).await? };
    if is_held(conn, upstream).await? {
        return Ok(Advanced { impossible, queues: Vec::new() });
    }
    let queues = count_ends(conn, &[upstream.0], &waiting).await?;
    Ok(Advanced { impossible, queues })
}

/// Counts the success of several jobs with everybody who waited for them. Answers the queues that got work.
pub(super) async fn advance_after_success(
    conn: &mut PgConnection,
    upstreams: &[Uuid],
) -> Result<Vec<String>> {
    let waiting = lock_waiting(conn, upstreams).await?;
    count_ends(conn, upstreams, &waiting).await
}

/// Whether `job` ended badly on a resource that is not known to be clear.
async fn is_held(conn: &mut PgConnection, job: JobId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from resource_held where job_id = $1) as "held!""#,
        job.0
    )
    .fetch_one(conn)
    .await?)
}

/// Counts the endings of `upstreams` with `waiting`, whose rows are locked: those whose last dependency is met, and whose
/// time has come, go to ready. Answers the queues that got work.
///
/// Delays run from when an incubation began, however late that was heard.
///
/// It must be another statement than the one that locks: only then does it see what was counted before the lock was had.
async fn count_ends(conn: &mut PgConnection, upstreams: &[Uuid], waiting: &[Uuid]) -> Result<Vec<String>> {
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_scalar!(
        r#"with ended as materialized (
             select job_id, count(*)::integer as ends,
                 lab_now() + max(make_interval(secs => min_delay_seconds) - since) as not_before_lab_at,
                 lab_now() + min(make_interval(secs => max_delay_seconds) - since) as deadline_lab_at
             from job_dependency
             cross join lateral (
                 select case when min_delay_seconds > 0 or max_delay_seconds is not null
                     then heard_late(depends_on) else interval '0' end as since) as heard
             where depends_on = any($1) and job_id = any($2)
             group by job_id
         ), counted as materialized (
             select job_waiting.job_id,
                 job_waiting.unmet - ended.ends as unmet,
                 greatest(job_waiting.not_before_lab_at, ended.not_before_lab_at) as not_before_lab_at,
                 least(job_waiting.deadline_lab_at, ended.deadline_lab_at) as deadline_lab_at
             from job_waiting
             join ended using (job_id)
             where job_waiting.job_id = any($2)
         ), due as materialized (
             select job_id, deadline_lab_at
             from counted
             where unmet = 0 and (not_before_lab_at is null or not_before_lab_at <= lab_now())
         ), taken as (
             delete from job_waiting
             where job_id = any(array(select job_id from due))
         ), waits as (
             update job_waiting
             set unmet = counted.unmet,
                 not_before_lab_at = counted.not_before_lab_at,
                 deadline_lab_at = counted.deadline_lab_at
             from counted
             where job_waiting.job_id = counted.job_id
                 and job_waiting.job_id = any(array(select job_id from counted except select job_id from due))
         )
         insert into job_ready
             (job_id, queue, capability, instrument, priority, deadline_lab_at, round_id, campaign_id, plate_id)
         select job.id, job.queue, job.capability, job.instrument, job.priority, due.deadline_lab_at,
             job.round_id, job.campaign_id, job.plate_id
         from job
         join due on due.job_id = job.id
         where job.id = any(array(select job_id from due))
         order by job.id
         returning queue"#,
        upstreams,
        waiting
    )
    .fetch_all(conn)
    .await?)
}

/// The place that `upstream` ended badly on is clear: who waited for its end may come. Answers the queues
/// that got work.
pub(super) async fn cleared(conn: &mut PgConnection, upstream: JobId) -> Result<Vec<String>> {
    advance_after_success(conn, &[upstream.0]).await
}

/// Who waits for the end of one of `before`, or failed waiting and may be made anew, waits for all of `instead`: each of
/// them has still to end, or to leave a clear place. So nobody's turn comes by this.
pub(super) async fn wait_instead(conn: &mut PgConnection, before: &[Uuid], instead: &[Uuid]) -> Result<()> {
    lock_waiting(conn, before).await?;
    let moved = sqlx::query!(
        r#"with gone as (
             delete from job_dependency
             where depends_on = any($1)
                 and requires = 'end'
                 and job_id <> all($1)
                 and not exists (
                     select from job_outcome
                     where job_outcome.job_id = job_dependency.job_id
                         and state not in ('failed', 'cancelled'))
             returning job_id
         ), come as (
             insert into job_dependency (job_id, depends_on, requires, min_delay_seconds, max_delay_seconds)
             select job_id, instead.id, 'end', 0, null
             from (select distinct job_id from gone) as follower
             cross join unnest($2::uuid[]) as instead (id)
             on conflict (job_id, depends_on) do nothing
             returning job_id
         )
         select job_id as "job_id!", sum(more)::integer as "more!"
         from (
             select job_id, -1 as more from gone
             union all
             select job_id, 1 as more from come
         ) as change
         group by job_id"#,
        before,
        instead
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        "update job_waiting
         set unmet = unmet + more
         from unnest($1::uuid[], $2::int[]) as given (id, more)
         where job_waiting.job_id = given.id",
        &moved.iter().map(|row| row.job_id).collect::<Vec<_>>(),
        &moved.iter().map(|row| row.more).collect::<Vec<_>>()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who waits for one of `upstreams`, in order of their ids, so that two endings never wait for each other. Taken out as
/// an array: however many wait, and whatever the table's statistics say, only these are read.
async fn lock_waiting(conn: &mut PgConnection, upstreams: &[Uuid]) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select job_id
         from job_waiting
         where job_id = any(array(select job_id from job_dependency where depends_on = any($1)))
         order by job_id
         for update",
        upstreams
    )
    .fetch_all(conn)
    .await?)
}

async fn take_impossible(conn: &mut PgConnection, upstream: JobId) -> Result<Vec<JobId>> {
    let taken = sqlx::query_scalar!(
        "delete from job_waiting
         using job_dependency
         where job_dependency.depends_on = $1
             and job_dependency.job_id = job_waiting.job_id
             and job_dependency.requires = 'success'
         returning job_waiting.job_id",
        upstream.0
    )
    .fetch_all(conn)
    .await?;
    Ok(taken.into_iter().map(JobId).collect())
}

/// Of `candidates`, those whose dependencies are met and whose time has come go to ready. Answers their queues.
pub(super) async fn make_ready(conn: &mut PgConnection, candidates: &[Uuid]) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "with due as (
             delete from job_waiting
             where job_id = any($1)
                 and unmet = 0
                 and (not_before_lab_at is null or not_before_lab_at <= lab_now())
             returning job_id, deadline_lab_at
         )
         insert into job_ready
             (job_id, queue, capability, instrument, priority, deadline_lab_at, round_id, campaign_id, plate_id)
         select job.id, job.queue, job.capability, job.instrument, job.priority, due.deadline_lab_at,
             job.round_id, job.campaign_id, job.plate_id
         from due
         join job on job.id = due.job_id
         order by job.id
         returning queue",
        candidates
    )
    .fetch_all(conn)
    .await?)
}
