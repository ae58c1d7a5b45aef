//! `POST /campaigns/check`

use crate::api::access::Caller;
use crate::api::extract::Json;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::campaigns::check::{self, Check};
use crate::ids::{DEFAULT_PROJECT, ProjectId};
use crate::store::tokens::Scope;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// A campaign file that is being written.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignText {
    /// TOML.
    toml: String,
    /// The project it is for; the default one when absent.
    #[serde(default)]
    project_id: Option<ProjectId>,
}

/// What is wrong with a campaign file, or what it would do. Nothing is made of it.
///
/// The files that it names are not asked for: they are looked at when it is created.
#[utoipa::path(post, path = "/campaigns/check", tag = "campaigns", request_body = CampaignText,
    responses((status = 200, body = Check)))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    Json(text): Json<CampaignText>,
) -> Result<Json<Check>, Problem> {
    let project = text.project_id.unwrap_or(DEFAULT_PROJECT);
    caller.require_in(project, Scope::CampaignWrite)?;
    let mut conn = state.pool.acquire().await?;
    Ok(Json(check::check(&mut conn, project, &text.toml).await?))
}
