//! `GET /campaigns/{id}/progress`

use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::ids::CampaignId;
use crate::rounds::progress::{self, Progress};
use axum::extract::State;

/// Where a campaign stands, round by round.
#[utoipa::path(get, path = "/campaigns/{id}/progress", tag = "campaigns", params(("id" = CampaignId, Path)),
    responses((status = 200, body = Progress), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<CampaignId>,
) -> Result<Json<Progress>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let progress = progress::progress(&mut conn, id).await?;
    Ok(Json(progress.ok_or_else(|| Problem::not_found("campaign", id))?))
}
