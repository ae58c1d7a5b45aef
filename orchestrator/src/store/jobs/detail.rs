//! One job with everything that was ever said of it.

use super::known::{self, Doubt, Plate, Stored};
use super::lease;
use super::read::{self, Summary};
use crate::store::error::{Error, Result};
use crate::store::holds::{self, Hold};
use ::jobs::JobId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = JobDetail)]
pub struct Detail {
    #[serde(flatten)]
    pub summary: Summary,
    /// What is to be done: the payload of its kind.
    pub payload: Value,
    /// What its worker brought back.
    pub output: Option<Value>,
    /// The person who settled it in doubt.
    pub decided_by: Option<String>,
    pub depends_on: Vec<DependsOn>,
    pub attempts: Vec<Attempt>,
    pub in_doubt: Option<Doubt>,
    /// A person paused this very job, or drains it.
    pub hold: Option<Hold>,
    pub reports: Vec<Testimony>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DependsOn {
    pub job_id: JobId,
    /// `success` or `end`.
    pub requires: String,
    pub min_delay_seconds: i64,
    pub max_delay_seconds: Option<i64>,
}

/// A lease that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    pub attempt: i32,
    pub worker: String,
    pub leased_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: DateTime<Utc>,
    /// `succeeded`, `failed`, `stopped`, `unknown`, `released` or `expired`.
    pub ending: String,
}

/// A report, also a late one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Testimony {
    pub by: String,
    pub received_at: DateTime<Utc>,
    pub outcome: Value,
    /// `accepted` or `kept_as_evidence`.
    pub disposition: String,
}

pub async fn get(conn: &mut PgConnection, job: JobId) -> Result<Detail> {
    let summary = read::summary(conn, job).await?.ok_or_else(|| Error::not_found("job", job))?;
    let row = sqlx::query!(
        r#"select job.kind, payload, output, actor.name as "decided_by?", plate.barcode as "barcode?",
                  plate.state in ('lost', 'cancelled') as "plate_is_over?"
         from job
         left join job_outcome on job_outcome.job_id = job.id
         left join actor on actor.id = decided_by
         left join plate on plate.id = job.plate_id
         where job.id = $1"#,
        job.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let reports = reports(conn, job).await?;
    let in_doubt = match in_doubt(conn, job).await? {
        None => None,
        Some(stored) => {
            let work = lease::work(&row.kind, row.payload.clone())?;
            let barcode = row.barcode.as_deref();
            let plate = barcode.map(|barcode| Plate { barcode, is_over: row.plate_is_over == Some(true) });
            Some(known::of(stored, &work, plate, &reports))
        }
    };
    Ok(Detail {
        summary,
        payload: row.payload,
        output: row.output,
        decided_by: row.decided_by,
        depends_on: depends_on(conn, job).await?,
        attempts: attempts(conn, job).await?,
        in_doubt,
        hold: holds::of(conn, job.0).await?,
        reports,
    })
}

async fn depends_on(conn: &mut PgConnection, job: JobId) -> Result<Vec<DependsOn>> {
    let rows = sqlx::query!(
        "select depends_on, requires, min_delay_seconds, max_delay_seconds
         from job_dependency
         where job_id = $1
         order by depends_on",
        job.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DependsOn {
            job_id: JobId(row.depends_on),
            requires: row.requires,
            min_delay_seconds: row.min_delay_seconds,
            max_delay_seconds: row.max_delay_seconds,
        })
        .collect())
}

async fn attempts(conn: &mut PgConnection, job: JobId) -> Result<Vec<Attempt>> {
    Ok(sqlx::query_as!(
        Attempt,
        "select attempt, actor.name as worker, leased_at, started_at, ended_at, ending
         from job_attempt
         join actor on actor.id = worker
         where job_id = $1
         order by attempt",
        job.0
    )
    .fetch_all(conn)
    .await?)
}

async fn in_doubt(conn: &mut PgConnection, job: JobId) -> Result<Option<Stored>> {
    Ok(sqlx::query_as!(
        Stored,
        "select since, attempt, awaits_person, known from job_in_doubt where job_id = $1",
        job.0
    )
    .fetch_optional(conn)
    .await?)
}

async fn reports(conn: &mut PgConnection, job: JobId) -> Result<Vec<Testimony>> {
    Ok(sqlx::query_as!(
        Testimony,
        r#"select actor.name as "by!", received_at, outcome, disposition
         from job_report
         join actor on actor.id = actor_id
         where job_id = $1
         order by job_report.id"#,
        job.0
    )
    .fetch_all(conn)
    .await?)
}
