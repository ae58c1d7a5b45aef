//! Settled jobs whose consequences are not drawn yet, and what the loop needs to know of them.
//!
//! The row goes in the transaction that draws the consequences: killed before, they are drawn again;
//! killed after, they are there.

use super::Result;
use super::moved::{corrupt, count};
use crate::ids::{CampaignId, PlateId, RoundId};
use jobs::state::State;
use jobs::work::Output;
use jobs::{Failure, JobId, Work};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// A settled job.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    pub job_id: JobId,
    pub work: Work,
    pub state: State,
    /// `None` also when a person said that it was done.
    pub output: Option<Output>,
    pub failure: Option<Failure>,
    pub campaign_id: Option<CampaignId>,
    pub round_id: Option<RoundId>,
    pub plate_id: Option<PlateId>,
    pub resource: Option<String>,
    /// Another job does the work in its stead.
    pub replaced: bool,
    /// Some attempt had reported its start: something may have moved.
    pub began: bool,
}

/// Takes the settlement for this transaction; `false` when it is drawn, or another draws it now.
pub async fn take(conn: &mut PgConnection, job: JobId) -> Result<bool> {
    let taken = sqlx::query!(
        "delete from settlement
         where job_id in (select job_id from settlement where job_id = $1 for update skip locked)",
        job.0
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// What is known of a settled job; `None` when it is not settled.
pub async fn load(conn: &mut PgConnection, job: JobId) -> Result<Option<Settled>> {
    let Some(row) = sqlx::query!(
        r#"select kind, payload, campaign_id, round_id, plate_id, resource, job_outcome.state, output, failure,
                  exists (select from job as other where other.replaces = job.id) as "replaced!",
                  exists (
                      select from job_attempt
                      where job_attempt.job_id = job.id and job_attempt.started_at is not null) as "began!"
           from job
           join job_outcome on job_outcome.job_id = job.id
           where job.id = $1"#,
        job.0
    )
    .fetch_optional(conn)
    .await?
    else {
        return Ok(None);
    };
    Ok(Some(Settled {
        job_id: job,
        work: work(&row.kind, row.payload)?,
        state: outcome(&row.state)?,
        output: row.output.map(serde_json::from_value).transpose().map_err(corrupt)?,
        failure: row.failure.map(serde_json::from_value).transpose().map_err(corrupt)?,
        campaign_id: row.campaign_id.map(Into::into),
        round_id: row.round_id.map(Into::into),
        plate_id: row.plate_id.map(Into::into),
        resource: row.resource,
        replaced: row.replaced,
        began: row.began,
    }))
}

/// Kind and payload as the work they say.
pub(super) fn work(kind: &str, payload: Value) -> Result<Work> {
    serde_json::from_value(json!({"kind": kind, "payload": payload})).map_err(corrupt)
}

fn outcome(word: &str) -> Result<State> {
    State::ALL
        .into_iter()
        .find(|state| state.is_terminal() && state.as_str() == word)
        .ok_or_else(|| corrupt(format!("job_outcome.state says {word:?}")))
}

/// How many of a plate's dispenses did not succeed yet (replaced ones aside).
pub async fn dispenses_left(conn: &mut PgConnection, plate: PlateId) -> Result<u32> {
    let left = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from job
           left join job_outcome on job_outcome.job_id = job.id
           where plate_id = $1
             and kind = 'dispense'
             and job_outcome.state is distinct from 'succeeded'
             and not exists (select from job as other where other.replaces = job.id)"#,
        plate.0
    )
    .fetch_one(conn)
    .await?;
    count(left)
}

/// Whether anything may still happen that brings laboratory time forward by itself, or that the engine
/// has to see first: held leases, dispatchable work, consequences not drawn, jobs in doubt. A stopped laboratory
/// is not still: its time stands with it.
pub async fn is_still(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select not exists (select from lease)
              and not exists (select from settlement)
              and not exists (select from job_in_doubt)
              and not exists (select from laboratory_stop where lifted_at is null)
              and not exists (
                  select from job_ready
                  left join instrument on instrument.name = job_ready.instrument
                  where (instrument.state is null
                          or instrument.state = 'in_service'
                          or (instrument.state = 'draining' and plate_begun(job_ready.plate_id)))
                      and not exists (select from job_barred where job_barred.job_id = job_ready.job_id)) as "still!""#
    )
    .fetch_one(conn)
    .await?)
}

/// The earliest laboratory instant at which a job that waits for nothing else may begin. Not of what is paused.
pub async fn next_job_due(conn: &mut PgConnection) -> Result<Option<chrono::DateTime<chrono::Utc>>> {
    Ok(sqlx::query_scalar!(
        "select min(not_before_lab_at)
         from job_waiting
         where unmet = 0
             and not_before_lab_at is not null
             and not exists (select from job_barred where job_barred.job_id = job_waiting.job_id)"
    )
    .fetch_one(conn)
    .await?)
}
