//! `GET /campaigns/{id}/next-ticks`

use crate::api::extract::{Json, Path, Query};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::campaigns::next_ticks::{NextTick, next_ticks};
use crate::ids::CampaignId;
use crate::store::campaigns;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

const DEFAULT: usize = 5;
const MOST: usize = 100;

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// How many; 5 when absent, 100 at most.
    n: Option<usize>,
}

/// The next ticks of a campaign, with what differs from its schedule.
///
/// None where rounds begin by hand or one after the other. A paused campaign shows what would come.
#[utoipa::path(get, path = "/campaigns/{id}/next-ticks", tag = "calendar", params(("id" = CampaignId, Path), Wanted),
    responses((status = 200, body = Vec<NextTick>), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<CampaignId>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<NextTick>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let campaign =
        campaigns::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("campaign", id))?;
    if campaign.state.is_terminal() {
        return Ok(Json(Vec::new()));
    }
    Ok(Json(next_ticks(&mut conn, &campaign, wanted.n.unwrap_or(DEFAULT).min(MOST)).await?))
}
