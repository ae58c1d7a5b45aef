//! A job enters the queue, once: `unique_key` makes a repeat a value.

use super::dependents::{self, Terms};
use super::settle::{self, Consequences, Ending};
use crate::ids::{CampaignId, PlateId, RoundId, SYSTEM};
use crate::store::error::{Error, Result};
use ::jobs::{Failure, FailureClass, JobId, Work};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::time::Duration;

/// A job to make.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub id: JobId,
    pub work: Work,
    /// Higher goes first.
    pub priority: i16,
    /// Addressed to one device; `None`: to any with the capability.
    pub instrument: Option<String>,
    pub max_attempts: u32,
    pub campaign_id: Option<CampaignId>,
    pub round_id: Option<RoundId>,
    pub plate_id: Option<PlateId>,
    /// A place that one chain of jobs at a time may use: `deck:handler-1`.
    pub resource: Option<String>,
    /// The job in whose stead it is done.
    pub replaces: Option<JobId>,
    /// Makes creation idempotent: `propose:<round>:<generation>`.
    pub unique_key: Option<String>,
    pub not_before_lab_at: Option<DateTime<Utc>>,
    /// Laboratory time by which it must have been leased; after it the job is impossible and fails.
    pub deadline_lab_at: Option<DateTime<Utc>>,
    pub dependencies: Vec<Dependency>,
}

impl NewJob {
    /// `work` for anybody who can, at once.
    pub fn new(work: Work) -> Self {
        Self {
            id: JobId::fresh(),
            work,
            priority: 0,
            instrument: None,
            max_attempts: 5,
            campaign_id: None,
            round_id: None,
            plate_id: None,
            resource: None,
            replaces: None,
            unique_key: None,
            not_before_lab_at: None,
            deadline_lab_at: None,
            dependencies: Vec::new(),
        }
    }
}

/// A job that must have ended first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    pub job_id: JobId,
    pub requires: Requires,
    /// Laboratory time between its end and our beginning, at least.
    pub min_delay: Duration,
    /// And at most.
    pub max_delay: Option<Duration>,
}

impl Dependency {
    /// After `job_id` succeeded, without delay.
    pub fn success(job_id: JobId) -> Self {
        Self { job_id, requires: Requires::Success, min_delay: Duration::ZERO, max_delay: None }
    }

    /// After `job_id` ended, however.
    pub fn end(job_id: JobId) -> Self {
        Self { requires: Requires::End, ..Self::success(job_id) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requires {
    /// When it does not succeed, the dependent fails with it.
    Success,
    /// However it ended.
    End,
}

impl Requires {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Requires::Success => "success",
            Requires::End => "end",
        }
    }
}

/// What became of the wish for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is in the queue. After the commit, pass the consequences to the wake-ups.
    Created(JobId, Consequences),
    /// A job of the same `unique_key` was there; nothing was changed.
    Existing(JobId),
}

impl Created {
    pub fn job_id(&self) -> JobId {
        match self {
            Created::Created(id, _) | Created::Existing(id) => *id,
        }
    }
}

/// Enters a job. Without unmet dependencies and not before its time it is ready at once; when a dependency
/// has already failed it, it fails here.
pub async fn create(conn: &mut PgConnection, job: &NewJob) -> Result<Created> {
    if !insert(conn, job).await? {
        return existing(conn, job).await.map(Created::Existing);
    }
    for dependency in &job.dependencies {
        depend(conn, job.id, dependency).await?;
    }
    let terms = dependents::terms(conn, job.id, job.not_before_lab_at, job.deadline_lab_at).await?;
    let consequences = place(conn, job, &terms).await?;
    Ok(Created::Created(job.id, consequences))
}

async fn place(conn: &mut PgConnection, job: &NewJob, terms: &Terms) -> Result<Consequences> {
    let kind = job.work.kind();
    if let Some(upstream) = terms.failed_upstream {
        let ending = Ending::Failed(dependency_failed(upstream));
        return settle::settle(conn, job.id, &ending, settle::Decided::by_the_queue(SYSTEM)).await;
    }
    if terms.is_ready() {
        sqlx::query!(
            "insert into job_ready
                 (job_id, queue, capability, instrument, priority, deadline_lab_at, round_id, campaign_id, plate_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            job.id.0,
            kind.queue(),
            kind.capability(),
            job.instrument,
            job.priority,
            terms.deadline_lab_at,
            job.round_id.map(|id| id.0),
            job.campaign_id.map(|id| id.0),
            job.plate_id.map(|id| id.0)
        )
        .execute(conn)
        .await?;
        return Ok(Consequences::ready(kind.queue()));
    }
    sqlx::query!(
        "insert into job_waiting (job_id, unmet, not_before_lab_at, deadline_lab_at) values ($1, $2, $3, $4)",
        job.id.0,
        terms.unmet,
        terms.not_before_lab_at,
        terms.deadline_lab_at
    )
    .execute(conn)
    .await?;
    Ok(Consequences::default())
}

/// Why a dependent of `upstream` cannot be done.
pub(super) fn dependency_failed(upstream: JobId) -> Failure {
    let message = format!("Job {upstream}, which must succeed first, did not. Look there for the reason.");
    Failure::new(FailureClass::Permanent, "job.dependency_failed", message)
}

async fn insert(conn: &mut PgConnection, job: &NewJob) -> Result<bool> {
    let kind = job.work.kind();
    let inserted = sqlx::query!(
        "insert into job (
             id, kind, queue, capability, instrument, priority, repeatable, max_attempts, payload,
             campaign_id, round_id, plate_id, resource, replaces, unique_key
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (unique_key) do nothing",
        job.id.0,
        kind.as_str(),
        kind.queue(),
        kind.capability(),
        job.instrument,
        job.priority,
        kind.is_repeatable(),
        i32::try_from(job.max_attempts).unwrap_or(i32::MAX),
        payload(&job.work)?,
        job.campaign_id.map(|id| id.0),
        job.round_id.map(|id| id.0),
        job.plate_id.map(|id| id.0),
        job.resource,
        job.replaces.map(|id| id.0),
        job.unique_key
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The inner payload: the kind has its own column.
fn payload(work: &Work) -> Result<serde_json::Value> {
    let mut value = serde_json::to_value(work).map_err(|error| Error::corrupt("work", error))?;
    value
        .as_object_mut()
        .and_then(|members| members.remove("payload"))
        .ok_or_else(|| Error::corrupt("work", "without a payload"))
}

async fn existing(conn: &mut PgConnection, job: &NewJob) -> Result<JobId> {
    let id = sqlx::query_scalar!("select id from job where unique_key = $1", job.unique_key)
        .fetch_one(conn)
        .await?;
    Ok(JobId(id))
}

async fn depend(conn: &mut PgConnection, job: JobId, dependency: &Dependency) -> Result<()> {
    let seconds = |delay: Duration| i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
    sqlx::query!(
        "insert into job_dependency (job_id, depends_on, requires, min_delay_seconds, max_delay_seconds)
         values ($1, $2, $3, $4, $5)",
        job.0,
        dependency.job_id.0,
        dependency.requires.as_str(),
        seconds(dependency.min_delay),
        dependency.max_delay.map(seconds)
    )
    .execute(conn)
    .await?;
    Ok(())
}
