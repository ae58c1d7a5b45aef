//! A job enters the queue, once: `unique_key` makes a repeat a value.

use super::enter;
use super::settle::Consequences;
use crate::ids::{CampaignId, PlateId, RoundId};
use crate::store::error::{Error, Result};
use ::jobs::work::Kind;
use ::jobs::{Failure, FailureClass, JobId, Work};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::BTreeMap;
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
    /// For people, whatever device could do it.
    pub by_hand: bool,
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
            by_hand: false,
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

impl NewJob {
    pub(super) fn queue(&self) -> &'static str {
        self.for_whom().queue()
    }

    pub(super) fn capability(&self) -> &'static str {
        self.for_whom().capability()
    }

    /// The kind whose workers it is for.
    fn for_whom(&self) -> Kind {
        if self.by_hand { Kind::Manual } else { self.work.kind() }
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
    let created = create_all(conn, std::slice::from_ref(job)).await?.pop();
    created.ok_or_else(|| Error::corrupt("job", "neither made nor found"))
}

/// Enters jobs, which may depend on each other, in a few statements however many they are; in their order, as
/// [`create`] one after the other. Answers what became of each.
pub async fn create_all(conn: &mut PgConnection, jobs: &[NewJob]) -> Result<Vec<Created>> {
    let made = enter::insert(conn, jobs).await?;
    let new: Vec<&NewJob> = jobs.iter().filter(|job| made.contains(&job.id)).collect();
    let mut consequences = enter::place(conn, &new).await?;
    let existing =
        if new.len() == jobs.len() { BTreeMap::new() } else { enter::existing(conn, jobs).await? };
    jobs.iter()
        .map(|job| match consequences.remove(&job.id) {
            Some(consequences) => Ok(Created::Created(job.id, consequences)),
            None => {
                let there = job.unique_key.as_deref().and_then(|key| existing.get(key));
                let there = there.ok_or_else(|| Error::corrupt("job", "neither made nor found"))?;
                Ok(Created::Existing(*there))
            }
        })
        .collect()
}

/// Why a dependent of `upstream` cannot be done.
pub(super) fn dependency_failed(upstream: JobId) -> Failure {
    let message = format!("Job {upstream}, which must succeed first, did not. Look there for the reason.");
    Failure::new(FailureClass::Permanent, "job.dependency_failed", message)
}
