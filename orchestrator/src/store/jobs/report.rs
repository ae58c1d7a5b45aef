//! Testimony: always taken, whatever became of the lease.
//!
//! With authority it ends the attempt. Without: a report under the last token, while nobody has decided and
//! the job was not leased again, settles it; anything else changes no state and is kept as evidence, and a
//! contradiction opens a task. The same report again changes nothing.
//!
//! Under a token, or of a job, that this database never had: see [`super::lost`] and [`super::orphan`].

use super::doubt::{self, Why};
use super::held::{self, AttemptEnding, Held};
use super::lost::{self, Lost};
use super::orphan;
use super::settle::{self, Consequences, Decided, Ending};
use super::verdict::{self, Case};
use crate::ids::{ActorId, CampaignId};
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::{Error, Result};
use crate::store::tasks::{self, NewTask};
use ::jobs::state::State;
use ::jobs::wire::{Disposition, LeaseSummary, Report};
use ::jobs::work::{Kind, Outcome};
use ::jobs::{FailureClass, JobId, LeaseToken};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use std::time::Duration;

/// What a report did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    Taken(Disposition, Consequences),
    /// There is no such job.
    NoSuchJob,
    /// The output is of another kind of work than the job.
    WrongKind {
        expected: Kind,
        got: Kind,
    },
}

/// Cause of the task that a contradiction opens.
pub const CONTRADICTION_TASK: &str = "job.report_contradicts";
/// Cause of the task that a failure of class `needs_person` opens.
pub const NEEDS_PERSON_TASK: &str = "job.needs_person";

/// What the job's own row says that a report needs.
pub(super) struct Of {
    pub id: JobId,
    pub kind: Kind,
    repeatable: bool,
    max_attempts: i32,
    campaign_id: Option<CampaignId>,
}

/// A report with its digest.
pub(super) struct Testimony<'a> {
    pub actor: ActorId,
    pub token: LeaseToken,
    pub outcome: &'a Outcome,
    pub json: Value,
    pub sha256: Vec<u8>,
    /// What the worker remembers of its lease.
    lease: Option<&'a LeaseSummary>,
}

impl<'a> Testimony<'a> {
    fn of(report: &'a Report, actor: ActorId) -> Result<Self> {
        let json = serde_json::to_value(&report.outcome).map_err(|error| Error::corrupt("outcome", error))?;
        let sha256 = Sha256::digest(json.to_string()).to_vec();
        let (token, outcome, lease) = (report.lease_token, &report.outcome, report.lease.as_deref());
        Ok(Self { actor, token, outcome, json, sha256, lease })
    }
}

/// Takes a report, in a transaction of its own.
pub async fn report(
    conn: &mut PgConnection,
    job: JobId,
    actor: ActorId,
    report: &Report,
) -> Result<Reported> {
    let testimony = Testimony::of(report, actor)?;
    let Some(of) = of(conn, job).await? else {
        let Some(lease) = testimony.lease else { return Ok(Reported::NoSuchJob) };
        let disposition = orphan::keep(conn, job, &testimony, lease).await?;
        return Ok(Reported::Taken(disposition, Consequences::default()));
    };
    if let Outcome::Succeeded { output } = &report.outcome
        && output.kind() != of.kind
    {
        return Ok(Reported::WrongKind { expected: of.kind, got: output.kind() });
    }
    steps::before(Step::Report).await;
    let mut tx = store::begin(conn).await?;
    let (disposition, consequences) = match held::take(&mut tx, job, report.lease_token).await? {
        Some(held) => with_authority(&mut tx, &of, &held, &testimony).await?,
        None => without_authority(&mut tx, &of, &testimony).await?,
    };
    steps::commit(tx, Step::Report).await?;
    Ok(Reported::Taken(disposition, consequences))
}

async fn of(conn: &mut PgConnection, job: JobId) -> Result<Option<Of>> {
    let row =
        sqlx::query!("select kind, repeatable, max_attempts, campaign_id from job where id = $1", job.0)
            .fetch_optional(conn)
            .await?;
    row.map(|row| {
        Ok(Of {
            id: job,
            kind: row.kind.parse().map_err(|error| Error::corrupt("kind", error))?,
            repeatable: row.repeatable,
            max_attempts: row.max_attempts,
            campaign_id: row.campaign_id.map(Into::into),
        })
    })
    .transpose()
}

async fn with_authority(
    conn: &mut PgConnection,
    of: &Of,
    held: &Held,
    testimony: &Testimony<'_>,
) -> Result<(Disposition, Consequences)> {
    let case = Case {
        state: held.phase,
        repeatable: of.repeatable,
        began: held.started_at.is_some(),
        attempts_left: held.attempt < of.max_attempts,
    };
    let next = verdict::of_report(case, testimony.outcome)
        .map_err(|rejected| Error::corrupt("job state", rejected))?;
    let began = matches!(testimony.outcome, Outcome::Succeeded { .. } | Outcome::Unknown { .. });
    held.end_attempt(conn, ending_of(testimony.outcome), began).await?;
    keep(conn, of.id, testimony, true).await?;
    let consequences = match (next, testimony.outcome) {
        (State::Ready, _) => {
            Consequences::ready(&held.back_to_ready(conn, Some(backoff(held.attempt))).await?)
        }
        (State::InDoubt, Outcome::Unknown { failure }) => {
            doubt::enter(conn, held, Why::Reported(failure), testimony.actor).await?;
            Consequences::default()
        }
        _ => end(conn, of, testimony).await?,
    };
    Ok((Disposition::Accepted, consequences))
}

/// Settles the job as the report says.
async fn end(conn: &mut PgConnection, of: &Of, testimony: &Testimony<'_>) -> Result<Consequences> {
    let ending = match testimony.outcome {
        Outcome::Succeeded { output } => {
            let output = serde_json::to_value(output).map_err(|error| Error::corrupt("output", error))?;
            Ending::Succeeded { output: Some(output) }
        }
        Outcome::Failed { failure } | Outcome::Unknown { failure } => Ending::Failed(failure.clone()),
        Outcome::Stopped { .. } => Ending::Cancelled,
    };
    if let Outcome::Failed { failure } = testimony.outcome
        && failure.class == FailureClass::NeedsPerson
    {
        let message = format!("A {} job failed and asks for a person: {}", of.kind, failure.message);
        open_task(conn, of, NEEDS_PERSON_TASK, message).await?;
    }
    let decided = Decided { reason: note(testimony.outcome), ..Decided::by_the_queue(testimony.actor) };
    settle::settle(conn, of.id, &ending, decided).await
}

fn note(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Stopped { note } => Some(note.clone()),
        _ => None,
    }
}

async fn without_authority(
    conn: &mut PgConnection,
    of: &Of,
    testimony: &Testimony<'_>,
) -> Result<(Disposition, Consequences)> {
    let late = lock_late(conn, of.id, testimony.token).await?;
    if was_taken_before(conn, of.id, testimony).await? {
        return Ok((Disposition::AlreadyDone, Consequences::default()));
    }
    if let Some(lease) = testimony.lease
        && lost::is_unknown(conn, of.id.0, testimony.token).await?
    {
        match lost::take(conn, of, testimony, lease).await? {
            Lost::Kept => {
                keep(conn, of.id, testimony, false).await?;
                return Ok((Disposition::KeptAsEvidence, Consequences::default()));
            }
            Lost::Settles => {
                keep(conn, of.id, testimony, true).await?;
                sqlx::query!("delete from job_ready where job_id = $1", of.id.0).execute(&mut *conn).await?;
                return Ok((Disposition::Accepted, end(conn, of, testimony).await?));
            }
            Lost::Evidence => {}
        }
    }
    let next = late.and_then(|state| {
        // No attempts are left to a late report: it settles, or it is evidence.
        let case = Case { state, repeatable: of.repeatable, began: true, attempts_left: false };
        verdict::of_report(case, testimony.outcome).ok().map(|next| (state, next))
    });
    let Some((state, next)) = next else {
        keep(conn, of.id, testimony, false).await?;
        raise_contradiction(conn, of, testimony).await?;
        return Ok((Disposition::KeptAsEvidence, Consequences::default()));
    };
    keep(conn, of.id, testimony, true).await?;
    let consequences = match (state, next, testimony.outcome) {
        (_, State::InDoubt, Outcome::Unknown { failure }) => {
            doubt::add_testimony(conn, of.id, failure).await?;
            Consequences::default()
        }
        (State::InDoubt, ..) => {
            doubt::leave(conn, of.id, testimony.actor).await?;
            end(conn, of, testimony).await?
        }
        _ => {
            sqlx::query!("delete from job_ready where job_id = $1", of.id.0).execute(&mut *conn).await?;
            end(conn, of, testimony).await?
        }
    };
    Ok((Disposition::Accepted, consequences))
}

/// The state in which a report under `token` may still settle the job, locked: in doubt since that lease, or
/// ready again and not leased since.
async fn lock_late(conn: &mut PgConnection, job: JobId, token: LeaseToken) -> Result<Option<State>> {
    if let Some(in_doubt) = doubt::lock(conn, job).await? {
        let settles = in_doubt.lease_token == token && !in_doubt.awaits_person;
        return Ok(settles.then_some(State::InDoubt));
    }
    let ready = sqlx::query_scalar!(
        "select job_ready.job_id
         from job_ready
         join job_attempt on job_attempt.job_id = job_ready.job_id and job_attempt.attempt = job_ready.attempt
         where job_ready.job_id = $1 and job_attempt.lease_token = $2
         for update of job_ready",
        job.0,
        token.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(ready.map(|_| State::Ready))
}

async fn was_taken_before(conn: &mut PgConnection, job: JobId, testimony: &Testimony<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from job_report where job_id = $1 and lease_token = $2 and outcome_sha256 = $3
         ) as "taken!""#,
        job.0,
        testimony.token.0,
        testimony.sha256
    )
    .fetch_one(conn)
    .await?)
}

async fn keep(conn: &mut PgConnection, job: JobId, testimony: &Testimony<'_>, accepted: bool) -> Result<()> {
    sqlx::query!(
        "insert into job_report (job_id, lease_token, actor_id, outcome, outcome_sha256, disposition)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (job_id, lease_token, outcome_sha256) do nothing",
        job.0,
        testimony.token.0,
        testimony.actor.0,
        testimony.json,
        testimony.sha256,
        if accepted { "accepted" } else { "kept_as_evidence" }
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Evidence against what was decided, or of something physical done twice, is for a person.
async fn raise_contradiction(conn: &mut PgConnection, of: &Of, testimony: &Testimony<'_>) -> Result<()> {
    if doubt::lock(conn, of.id).await?.is_some_and(|in_doubt| in_doubt.awaits_person) {
        // A person looks at it anyway, and finds this report beside the others.
        return Ok(());
    }
    let decided = sqlx::query!("select state from job_outcome where job_id = $1", of.id.0)
        .fetch_optional(&mut *conn)
        .await?;
    let claimed = verdict::claimed(testimony.outcome);
    let other_attempt = is_other_attempt(conn, of.id, testimony.token).await?;
    let moved = matches!(testimony.outcome, Outcome::Succeeded { .. } | Outcome::Unknown { .. });
    let contradicts = match &decided {
        // Another attempt was counted: that this one did not work is no news, that it moved something is.
        Some(_) | None if other_attempt => moved && !of.repeatable,
        Some(decided) => claimed != State::InDoubt && decided.state != claimed.as_str(),
        None => moved && !of.repeatable,
    };
    if !contradicts {
        return Ok(());
    }
    let now = decided.map_or("not settled yet", |_| "settled otherwise");
    let message = format!(
        "A late report says {} of a {} job that is {now}. Compare it with what stands in the laboratory.",
        claimed.as_str(),
        of.kind
    );
    open_task(conn, of, CONTRADICTION_TASK, message).await
}

/// Whether a later attempt than the one of `token` exists.
async fn is_other_attempt(conn: &mut PgConnection, job: JobId, token: LeaseToken) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from lease where job_id = $1 and lease_token <> $2)
             or coalesce((
                 select lease_token <> $2
                 from job_attempt
                 where job_id = $1
                 order by attempt desc
                 limit 1
             ), false) as "other!""#,
        job.0,
        token.0
    )
    .fetch_one(conn)
    .await?)
}

async fn open_task(conn: &mut PgConnection, of: &Of, cause: &str, message: String) -> Result<()> {
    let task = NewTask {
        cause,
        message,
        subject: "job",
        subject_id: of.id.to_string(),
        campaign_id: of.campaign_id,
    };
    tasks::open(conn, &task).await.map(drop)
}

fn ending_of(outcome: &Outcome) -> AttemptEnding {
    match outcome {
        Outcome::Succeeded { .. } => AttemptEnding::Succeeded,
        Outcome::Failed { .. } => AttemptEnding::Failed,
        Outcome::Stopped { .. } => AttemptEnding::Stopped,
        Outcome::Unknown { .. } => AttemptEnding::Unknown,
    }
}

const LONGEST_BACKOFF_SECONDS: u64 = 60;

/// 1, 2, 4 .. 60 s of real time after the first, second, third .. passing failure.
fn backoff(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(6);
    Duration::from_secs((1 << doublings).min(LONGEST_BACKOFF_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_after_a_passing_failure_doubles_up_to_a_minute() {
        let seconds: Vec<u64> = [1, 2, 3, 7, 1000].map(|attempt| backoff(attempt).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 60, 60]);
    }
}
