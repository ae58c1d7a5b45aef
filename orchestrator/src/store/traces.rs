//! What traces are told from: rows that say when something began and ended (real time), and how far the exporter is.

use super::error::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// An event, as far as the exporter looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    pub position: i64,
    pub subject: String,
    pub subject_id: String,
    pub happened_at: DateTime<Utc>,
}

/// A round that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    pub id: Uuid,
    pub number: i32,
    pub campaign: String,
    pub state: String,
    pub reason: Option<String>,
    pub observations: i64,
    pub began_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
}

/// A stage that a round has left.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub round_id: Uuid,
    pub entry: i32,
    pub stage: String,
    pub entered_at: DateTime<Utc>,
    pub left_at: DateTime<Utc>,
}

/// A plate that will not change any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    pub id: Uuid,
    pub round_id: Uuid,
    /// The stage it was planned in.
    pub stage: Option<i32>,
    pub barcode: String,
    pub generation: i32,
    pub state: String,
    pub reason: Option<String>,
    pub observations: i64,
    pub began_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
}

/// A job that has settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: Uuid,
    pub round_id: Uuid,
    pub plate_id: Option<Uuid>,
    /// The stage it was made in; `None` after the round's end.
    pub stage: Option<i32>,
    pub kind: String,
    pub state: String,
    pub failure: Option<String>,
    pub began_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
    pub attempts: Vec<Attempt>,
}

/// One attempt at a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub number: i32,
    pub worker: String,
    pub ending: String,
    pub leased_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: DateTime<Utc>,
}

/// The position that was told last; set to the head when nothing was told yet.
pub async fn cursor(conn: &mut PgConnection) -> Result<i64> {
    sqlx::query!(
        "insert into trace_cursor (position) select position from event_sealer on conflict (singleton) do nothing"
    )
    .execute(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!("select position from trace_cursor").fetch_one(conn).await?)
}

/// Everything up to `to` was told. Another that told it first has moved it already.
pub async fn advance(conn: &mut PgConnection, from: i64, to: i64) -> Result<()> {
    sqlx::query!("update trace_cursor set position = $2 where position = $1", from, to).execute(conn).await?;
    Ok(())
}

/// Up to `limit` events behind `position`.
pub async fn happened_after(conn: &mut PgConnection, position: i64, limit: i64) -> Result<Vec<Happened>> {
    Ok(sqlx::query_as!(
        Happened,
        "select event_seal.position, subject, subject_id, happened_at
         from event_seal
         join event on event.id = event_seal.event_id
         where event_seal.position > $1
         order by event_seal.position
         limit $2",
        position,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// Stages that the round left by the transition of `at`.
pub async fn stages_left(conn: &mut PgConnection, round: Uuid, at: DateTime<Utc>) -> Result<Vec<Stage>> {
    Ok(sqlx::query_as!(
        Stage,
        r#"select round_id, entry, stage, entered_at, left_at as "left_at!"
           from (
               select round_id, entry, stage, entered_at,
                   lead(entered_at) over (order by entry) as left_at
               from round_stage where round_id = $1
           ) as entered
           where left_at = $2"#,
        round,
        at
    )
    .fetch_all(conn)
    .await?)
}

/// The round, when the transition of `at` ended it.
pub async fn round_ended(conn: &mut PgConnection, round: Uuid, at: DateTime<Utc>) -> Result<Option<Round>> {
    Ok(sqlx::query_as!(
        Round,
        r#"select round.id, round.number, campaign.name as campaign, round.state, round.reason,
               (select count(*) from observation where observation.round_id = round.id) as "observations!",
               (select min(entered_at) from round_stage where round_id = round.id) as "began_at!",
               last.entered_at as ended_at
           from round
           join campaign on campaign.id = round.campaign_id
           join round_stage as last on last.round_id = round.id and last.stage = round.state
           where round.id = $1 and last.entered_at = $2 and round.state in ('closed', 'cancelled', 'failed')"#,
        round,
        at
    )
    .fetch_optional(conn)
    .await?)
}

/// The plate, when it is in its last state; `at`: of the event that says so.
pub async fn plate_ended(conn: &mut PgConnection, plate: Uuid, at: DateTime<Utc>) -> Result<Option<Plate>> {
    Ok(sqlx::query_as!(
        Plate,
        r#"select id, round_id, barcode, generation, state, reason,
               (select entry from round_stage
                where round_stage.round_id = plate.round_id and entered_at <= plate.created_at
                    and stage not in ('closed', 'cancelled', 'failed')
                order by entry desc limit 1) as stage,
               (select count(*) from observation where observation.plate_id = plate.id) as "observations!",
               created_at as began_at, $2::timestamptz as "ended_at!"
           from plate
           where id = $1 and state in ('passed', 'released', 'rejected', 'lost', 'cancelled')"#,
        plate,
        at
    )
    .fetch_optional(conn)
    .await?)
}

/// The job with its attempts, when it has settled and belongs to a round.
pub async fn job_ended(conn: &mut PgConnection, job: Uuid) -> Result<Option<Job>> {
    let row = sqlx::query!(
        r#"select job.id, job.round_id as "round_id!", job.plate_id, job.kind, job_outcome.state,
               job_outcome.failure ->> 'message' as failure, job.created_at, job_outcome.settled_at,
               (select case when stage in ('closed', 'cancelled', 'failed') then null else entry end
                from round_stage
                where round_stage.round_id = job.round_id and entered_at <= job.created_at
                order by entry desc limit 1) as stage
           from job
           join job_outcome on job_outcome.job_id = job.id
           where job.id = $1 and job.round_id is not null"#,
        job
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let attempts = sqlx::query_as!(
        Attempt,
        "select attempt as number, actor.name as worker, ending, leased_at, started_at, ended_at
         from job_attempt
         join actor on actor.id = job_attempt.worker
         where job_id = $1
         order by attempt",
        job
    )
    .fetch_all(conn)
    .await?;
    Ok(Some(Job {
        id: row.id,
        round_id: row.round_id,
        plate_id: row.plate_id,
        stage: row.stage,
        kind: row.kind,
        state: row.state,
        failure: row.failure,
        began_at: row.created_at,
        ended_at: row.settled_at,
        attempts,
    }))
}
