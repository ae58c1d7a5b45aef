//! `GET /rounds/{id}`

use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::ids::{CampaignId, ModelVersionId, RoundId};
use crate::store::holds::{self, Hold};
use crate::store::rounds::{self, BegunBy, Round, StageEntry};
use axum::extract::State;
use chrono::{DateTime, Utc};
use jobs::Digest;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One round, with when it entered which stage.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoundRecord {
    pub id: RoundId,
    pub campaign_id: CampaignId,
    pub campaign_version: u32,
    pub number: u32,
    pub state: String,
    /// The stage a held round goes back to.
    pub held_from: Option<String>,
    pub reason_code: Option<String>,
    pub reason: Option<String>,
    pub seed: u64,
    pub data_cut: Option<Digest>,
    pub model_version_id: Option<ModelVersionId>,
    /// Why that version proposes.
    pub model_because: Option<String>,
    /// What began it.
    pub begun_by: BegunBy,
    pub due_lab_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    /// A person paused it, or drains it; absent also when the engine holds it.
    pub hold: Option<Hold>,
    pub stages: Vec<StageEntry>,
    /// What came of it, once closed.
    pub summary: Option<Value>,
}

impl RoundRecord {
    pub fn of(round: Round, stages: Vec<StageEntry>, hold: Option<Hold>) -> Self {
        let (reason_code, reason) = round.why.map(|why| (why.code, why.text)).unzip();
        Self {
            id: round.id,
            campaign_id: round.campaign_id,
            campaign_version: round.campaign_version,
            number: round.number,
            state: round.state.as_str().to_owned(),
            held_from: round.state.held_from().map(str::to_owned),
            reason_code,
            reason,
            seed: round.seed,
            data_cut: round.data_cut,
            model_version_id: round.model_version_id,
            model_because: round.model_because,
            begun_by: round.begun_by,
            due_lab_at: round.due_lab_at,
            created_at: round.created_at,
            hold,
            stages,
            summary: round.summary,
        }
    }
}

/// One round.
#[utoipa::path(get, path = "/rounds/{id}", tag = "rounds", params(("id" = RoundId, Path)),
    responses((status = 200, body = RoundRecord), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<RoundId>,
) -> Result<Json<RoundRecord>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let round = rounds::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("round", id))?;
    let stages = rounds::stages(&mut conn, id).await?;
    let hold = holds::of(&mut conn, id.0).await?;
    Ok(Json(RoundRecord::of(round, stages, hold)))
}
