//! Model versions with their evidence.

use super::access::{Access, Routes};
use super::extract::{Json, Path};
use super::page::Page;
use super::problem::Problem;
use super::state::AppState;
use crate::ids::{CampaignId, ModelVersionId};
use crate::models::state::State as ModelState;
use crate::store::models::{self, ModelVersion};
use crate::store::tokens::Scope;
use axum::extract::State;
use chrono::{DateTime, Utc};
use jobs::work::learn::ModelMetrics;
use jobs::{Digest, JobId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new().route(read, routes!(of_campaign)).route(read, routes!(get))
}

/// A trained model: what it saw, how it did, whether it is in use and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelRecord {
    pub id: ModelVersionId,
    pub campaign_id: CampaignId,
    pub number: u32,
    pub state: ModelState,
    pub checkpoint: Digest,
    /// Absent: trained from the priors alone.
    pub data_cut: Option<Digest>,
    pub seed: u64,
    pub code_version: String,
    pub metrics: ModelMetrics,
    pub train_job_id: JobId,
    pub decided_because: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl From<ModelVersion> for ModelRecord {
    fn from(version: ModelVersion) -> Self {
        Self {
            id: version.id,
            campaign_id: version.campaign_id,
            number: version.number,
            state: version.state,
            checkpoint: version.checkpoint,
            data_cut: version.data_cut,
            seed: version.seed,
            code_version: version.code_version,
            metrics: version.metrics,
            train_job_id: version.train_job_id,
            decided_because: version.decided_because,
            created_at: version.created_at,
        }
    }
}

/// Versions of a campaign's model, first to last.
#[utoipa::path(get, path = "/campaigns/{id}/models", tag = "models", params(("id" = CampaignId, Path)),
    responses((status = 200, body = Page<ModelRecord>)))]
async fn of_campaign(
    State(state): State<AppState>,
    Path(id): Path<CampaignId>,
) -> Result<Json<Page<ModelRecord>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let items = models::of_campaign(&mut conn, id).await?.into_iter().map(Into::into).collect();
    Ok(Json(Page { items, next_cursor: None }))
}

/// One version.
#[utoipa::path(get, path = "/models/{id}", tag = "models", params(("id" = ModelVersionId, Path)),
    responses((status = 200, body = ModelRecord), (status = 404, body = Problem)))]
async fn get(
    State(state): State<AppState>,
    Path(id): Path<ModelVersionId>,
) -> Result<Json<ModelRecord>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let version = models::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("model", id))?;
    Ok(Json(version.into()))
}
