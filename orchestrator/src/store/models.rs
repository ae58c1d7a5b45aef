//! Model versions.

use super::Result;
use super::moved::{self, Moved, Record, corrupt, count, digest, digest_opt};
use crate::ids::{ActorId, CampaignId, ModelVersionId};
use crate::models::state::{Event, Rejected, State};
use chrono::{DateTime, Utc};
use jobs::work::learn::ModelMetrics;
use jobs::{Digest, JobId};
use serde_json::{Value, json};
use sqlx::PgConnection;

#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    pub id: ModelVersionId,
    pub campaign_id: CampaignId,
    pub number: u32,
    pub state: State,
    pub checkpoint: Digest,
    /// `None`: trained from the priors alone.
    pub data_cut: Option<Digest>,
    pub seed: u64,
    pub code_version: String,
    pub metrics: ModelMetrics,
    pub train_job_id: JobId,
    pub decided_because: Option<String>,
    pub created_at: DateTime<Utc>,
}

pub struct NewModelVersion<'a> {
    pub campaign_id: CampaignId,
    pub checkpoint: Digest,
    pub data_cut: Option<Digest>,
    pub seed: u64,
    pub code_version: &'a str,
    pub metrics: &'a ModelMetrics,
    pub train_job_id: JobId,
}

struct Row {
    id: uuid::Uuid,
    campaign_id: uuid::Uuid,
    number: i32,
    state: String,
    checkpoint_sha256: Vec<u8>,
    data_cut_sha256: Option<Vec<u8>>,
    seed: i64,
    code_version: String,
    metrics: Value,
    train_job_id: uuid::Uuid,
    decided_because: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for ModelVersion {
    type Error = super::Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(ModelVersion {
            id: row.id.into(),
            campaign_id: row.campaign_id.into(),
            number: count(row.number.into())?,
            state: moved::word(State::from_column(&row.state), "model_version.state", &row.state)?,
            checkpoint: digest(&row.checkpoint_sha256)?,
            data_cut: digest_opt(row.data_cut_sha256.as_deref())?,
            seed: u64::try_from(row.seed).map_err(corrupt)?,
            code_version: row.code_version,
            metrics: serde_json::from_value(row.metrics).map_err(corrupt)?,
            train_job_id: row.train_job_id.into(),
            decided_because: row.decided_because,
            created_at: row.created_at,
        })
    }
}

/// Inserts the next version of the campaign's model, as a candidate. The caller holds the campaign's lock.
pub async fn insert(
    conn: &mut PgConnection,
    new: &NewModelVersion<'_>,
    actor: ActorId,
) -> Result<ModelVersion> {
    let id = ModelVersionId::fresh();
    let row = sqlx::query_as!(
        Row,
        "insert into model_version
             (id, campaign_id, number, state, checkpoint_sha256, data_cut_sha256, seed, code_version, metrics, train_job_id)
         select $1, $2, coalesce(max(number), 0) + 1, 'candidate', $3, $4, $5, $6, $7, $8
         from model_version
         where campaign_id = $2
         returning id, campaign_id, number, state, checkpoint_sha256, data_cut_sha256, seed, code_version,
                   metrics, train_job_id, decided_because, created_at",
        id.0,
        new.campaign_id.0,
        new.checkpoint.0.as_slice(),
        new.data_cut.as_ref().map(|digest| digest.0.as_slice()),
        i64::try_from(new.seed).map_err(corrupt)?,
        new.code_version,
        serde_json::to_value(new.metrics).map_err(corrupt)?,
        new.train_job_id.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let version = ModelVersion::try_from(row)?;
    let body = json!({
        "number": version.number, "checkpoint": version.checkpoint, "data_cut": version.data_cut,
        "train_job_id": version.train_job_id, "metrics": version.metrics,
    });
    record(conn, "ModelVersionTrained", &version, actor, &body).await?;
    Ok(version)
}

/// Moves a version on, and keeps why.
pub async fn apply(
    conn: &mut PgConnection,
    version: &mut ModelVersion,
    event: Event,
    because: &str,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    let next = match version.state.next(event) {
        Ok(next) => next,
        Err(rejected) => return Ok(Moved::Rejected(rejected)),
    };
    let updated = sqlx::query!(
        "update model_version set state = $3, decided_because = $4 where id = $1 and state = $2",
        version.id.0,
        version.state.as_str(),
        next.as_str(),
        because
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if updated == 0 {
        return Ok(Moved::ChangedMeanwhile);
    }
    let body = json!({"number": version.number, "from": version.state, "to": next, "because": because});
    record(conn, event.record(), version, actor, &body).await?;
    version.state = next;
    version.decided_because = Some(because.to_owned());
    Ok(Moved::Done)
}

/// The version that proposes.
pub async fn promoted(conn: &mut PgConnection, campaign: CampaignId) -> Result<Option<ModelVersion>> {
    sqlx::query_as!(
        Row,
        "select id, campaign_id, number, state, checkpoint_sha256, data_cut_sha256, seed, code_version,
                metrics, train_job_id, decided_because, created_at
         from model_version
         where campaign_id = $1 and state = 'promoted'",
        campaign.0
    )
    .fetch_optional(conn)
    .await?
    .map(ModelVersion::try_from)
    .transpose()
}

pub async fn by_id(conn: &mut PgConnection, id: ModelVersionId) -> Result<Option<ModelVersion>> {
    sqlx::query_as!(
        Row,
        "select id, campaign_id, number, state, checkpoint_sha256, data_cut_sha256, seed, code_version,
                metrics, train_job_id, decided_because, created_at
         from model_version
         where id = $1",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(ModelVersion::try_from)
    .transpose()
}

/// The version that a training made, if it made one.
pub async fn of_training(conn: &mut PgConnection, job: JobId) -> Result<Option<ModelVersion>> {
    sqlx::query_as!(
        Row,
        "select id, campaign_id, number, state, checkpoint_sha256, data_cut_sha256, seed, code_version,
                metrics, train_job_id, decided_because, created_at
         from model_version
         where train_job_id = $1",
        job.0
    )
    .fetch_optional(conn)
    .await?
    .map(ModelVersion::try_from)
    .transpose()
}

/// First to last.
pub async fn of_campaign(conn: &mut PgConnection, campaign: CampaignId) -> Result<Vec<ModelVersion>> {
    sqlx::query_as!(
        Row,
        "select id, campaign_id, number, state, checkpoint_sha256, data_cut_sha256, seed, code_version,
                metrics, train_job_id, decided_because, created_at
         from model_version
         where campaign_id = $1
         order by number",
        campaign.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(ModelVersion::try_from)
    .collect()
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    version: &ModelVersion,
    actor: ActorId,
    body: &Value,
) -> Result<()> {
    let subject_id = version.id.to_string();
    let campaign = version.campaign_id;
    moved::record(conn, Record { kind, subject: "model_version", subject_id, campaign, actor, body }).await
}
