//! `GET /campaigns/{id}/learning-curve`

use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::campaigns::learning_curve::{self, LearningCurve};
use crate::ids::CampaignId;
use axum::extract::State;

/// Hits found, round by round, beside what choosing at random would have found.
#[utoipa::path(get, path = "/campaigns/{id}/learning-curve", tag = "campaigns", params(("id" = CampaignId, Path)),
    responses((status = 200, body = LearningCurve), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<CampaignId>,
) -> Result<Json<LearningCurve>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let curve = learning_curve::learning_curve(&mut conn, id).await?;
    Ok(Json(curve.ok_or_else(|| Problem::not_found("campaign", id))?))
}
