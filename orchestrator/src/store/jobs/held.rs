//! The lease row while a command has it in hand, and the ways out of it.

use crate::ids::ActorId;
use crate::store::error::{Error, Result};
use ::jobs::state::State;
use ::jobs::{JobId, LeaseToken};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// What a command answers that needs authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority<T> {
    Held(T),
    /// No lease with this token: stop at the next safe point, begin nothing.
    Lost,
}

/// A lease taken out of the table in this transaction.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub job_id: JobId,
    pub lease_token: LeaseToken,
    pub worker: ActorId,
    pub instrument: Option<String>,
    /// `Leased`, `Running` or `Stopping`.
    pub phase: State,
    pub attempt: i32,
    pub leased_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub deadline_lab_at: Option<DateTime<Utc>>,
    pub progress: Option<Value>,
}

/// The row as it comes.
pub(super) struct Row {
    pub job_id: Uuid,
    pub lease_token: Uuid,
    pub worker: Uuid,
    pub instrument: Option<String>,
    pub phase: String,
    pub attempt: i32,
    pub leased_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub deadline_lab_at: Option<DateTime<Utc>>,
    pub progress: Option<Value>,
}

impl TryFrom<Row> for Held {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            job_id: JobId(row.job_id),
            lease_token: LeaseToken(row.lease_token),
            worker: ActorId(row.worker),
            instrument: row.instrument,
            phase: phase(&row.phase)?,
            attempt: row.attempt,
            leased_at: row.leased_at,
            started_at: row.started_at,
            deadline_lab_at: row.deadline_lab_at,
            progress: row.progress,
        })
    }
}

/// The state that a `phase` column says.
pub(super) fn phase(word: &str) -> Result<State> {
    State::ALL
        .into_iter()
        .find(|state| state.is_held() && state.as_str() == word)
        .ok_or_else(|| Error::corrupt("lease phase", word))
}

/// Takes the lease out; `None` when the authority is lost. Fenced on `(job_id, lease_token)` alone.
pub(super) async fn take(conn: &mut PgConnection, job: JobId, token: LeaseToken) -> Result<Option<Held>> {
    sqlx::query_as!(
        Row,
        "delete from lease
         where job_id = $1 and lease_token = $2
         returning job_id, lease_token, worker, instrument, phase, attempt, leased_at, started_at,
             deadline_lab_at, progress",
        job.0,
        token.0
    )
    .fetch_optional(conn)
    .await?
    .map(Held::try_from)
    .transpose()
}

/// How an attempt ended, as `job_attempt.ending` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptEnding {
    Succeeded,
    Failed,
    Stopped,
    Unknown,
    Released,
    Expired,
}

impl AttemptEnding {
    fn as_str(self) -> &'static str {
        match self {
            AttemptEnding::Succeeded => "succeeded",
            AttemptEnding::Failed => "failed",
            AttemptEnding::Stopped => "stopped",
            AttemptEnding::Unknown => "unknown",
            AttemptEnding::Released => "released",
            AttemptEnding::Expired => "expired",
        }
    }
}

impl Held {
    /// Writes down how this attempt ended. `began`: it says itself that it had begun.
    pub async fn end_attempt(
        &self,
        conn: &mut PgConnection,
        ending: AttemptEnding,
        began: bool,
    ) -> Result<()> {
        sqlx::query!(
            "insert into job_attempt (job_id, attempt, lease_token, worker, leased_at, started_at, ending)
             values ($1, $2, $3, $4, $5, coalesce($6, case when $7 then now() end), $8)",
            self.job_id.0,
            self.attempt,
            self.lease_token.0,
            self.worker.0,
            self.leased_at,
            self.started_at,
            began,
            ending.as_str()
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Back to whoever can, not before `retry_in` of real time has passed. Answers the queue.
    pub async fn back_to_ready(&self, conn: &mut PgConnection, retry_in: Option<Duration>) -> Result<String> {
        Ok(sqlx::query_scalar!(
            "insert into job_ready
                 (job_id, queue, capability, instrument, priority, attempt, retry_at, deadline_lab_at,
                  round_id, campaign_id, plate_id)
             select id, queue, capability, instrument, priority, $2, now() + make_interval(secs => $3), $4,
                 round_id, campaign_id, plate_id
             from job
             where id = $1
             returning queue",
            self.job_id.0,
            self.attempt,
            retry_in.map(|wait| wait.as_secs_f64()),
            self.deadline_lab_at
        )
        .fetch_one(conn)
        .await?)
    }
}
