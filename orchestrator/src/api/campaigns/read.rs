//! `GET /campaigns..`

use super::view::{CampaignLine, CampaignRecord};
use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::ids::CampaignId;
use crate::store::{campaigns, holds};
use axum::extract::State;

/// Campaigns, oldest first.
#[utoipa::path(get, path = "/campaigns", tag = "campaigns", params(PageQuery),
    responses((status = 200, body = Page<CampaignLine>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<CampaignLine>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let found = campaigns::list(&mut conn, &caller.visible(), query.after()?, query.limit()).await?;
    let items = found.into_iter().map(CampaignLine::from).collect();
    Ok(Json(Page::new(items, &query, |campaign| campaign.id)))
}

/// One campaign with its current version.
#[utoipa::path(get, path = "/campaigns/{id}", tag = "campaigns", params(("id" = CampaignId, Path)),
    responses((status = 200, body = CampaignRecord), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<CampaignId>,
) -> Result<Json<CampaignRecord>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let campaign =
        campaigns::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("campaign", id))?;
    let version = campaigns::version(&mut conn, id, campaign.current_version)
        .await?
        .ok_or_else(|| Problem::not_found("campaign version", campaign.current_version))?;
    let hold = holds::of(&mut conn, id.0).await?;
    Ok(Json(CampaignRecord::of(campaign, version, hold)))
}
