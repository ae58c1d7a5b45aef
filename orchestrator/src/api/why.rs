//! Why something does not move, in words; and what stands still past its deadline.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path};
use super::problem::Problem;
use super::state::AppState;
use crate::campaigns::next_ticks::next_ticks;
use crate::engine::standstills;
use crate::ids::{CampaignId, RoundId};
use crate::store;
use crate::store::tokens::Scope;
use crate::store::watchdog as facts;
use crate::watchdog::standstill::Standstill;
use crate::watchdog::{Reason, job as of_job, round as of_round};
use ::jobs::JobId;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new()
        .route(read, routes!(job))
        .route(read, routes!(round))
        .route(read, routes!(campaign))
        .route(read, routes!(list))
}

/// Why it does not move.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// The weightiest first; empty when it has ended.
    pub reasons: Vec<Reason>,
}

/// Why a job is not done yet.
#[utoipa::path(get, path = "/jobs/{id}/why", tag = "watchdog", params(("id" = JobId, Path)),
    responses((status = 200, body = Why), (status = 404, body = Problem)))]
async fn job(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<Why>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let facts = facts::job(&mut conn, id).await?.ok_or_else(|| Problem::not_found("job", id))?;
    Ok(Json(Why { reasons: of_job::explain(&facts) }))
}

/// Why a round does not move.
#[utoipa::path(get, path = "/rounds/{id}/why", tag = "watchdog", params(("id" = RoundId, Path)),
    responses((status = 200, body = Why), (status = 404, body = Problem)))]
async fn round(State(state): State<AppState>, Path(id): Path<RoundId>) -> Result<Json<Why>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let facts = facts::round(&mut conn, id).await?.ok_or_else(|| Problem::not_found("round", id))?;
    Ok(Json(Why { reasons: of_round::explain(&facts) }))
}

/// Why a campaign does not move.
#[utoipa::path(get, path = "/campaigns/{id}/why", tag = "watchdog", params(("id" = CampaignId, Path)),
    responses((status = 200, body = Why), (status = 404, body = Problem)))]
async fn campaign(State(state): State<AppState>, Path(id): Path<CampaignId>) -> Result<Json<Why>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let mut facts =
        facts::campaign(&mut conn, id).await?.ok_or_else(|| Problem::not_found("campaign", id))?;
    if let Some(campaign) = store::campaigns::by_id(&mut conn, id).await? {
        facts.next_lab_at = next_ticks(&mut conn, &campaign, 1).await?.first().map(|tick| tick.at);
    }
    Ok(Json(Why { reasons: of_round::explain_campaign(&facts) }))
}

/// What stands still past its deadline.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Standstills {
    pub items: Vec<Standstill>,
}

/// What stands still past its deadline: whose turn it is, why, and what to do. Longest first.
#[utoipa::path(get, path = "/standstills", tag = "watchdog", responses((status = 200, body = Standstills)))]
async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<Standstills>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let items = standstills::all(&mut conn, &caller.visible()).await?;
    Ok(Json(Standstills { items }))
}
