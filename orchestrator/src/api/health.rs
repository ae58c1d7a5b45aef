//! Whether this process can serve, and what it serves. Public.

use super::access::{Access, Routes};
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Outside `/api/v1`.
pub(super) fn routes() -> Routes {
    Routes::new().route(Access::Public, routes!(healthz)).route(Access::Public, routes!(description))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`: this process serves and the database answers.
    pub status: String,
    pub version: String,
}

/// Whether this process serves and the database answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    responses((status = 200, body = Health), (status = 503, body = Problem, content_type = "application/problem+json"))
)]
async fn healthz(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    let mut conn = state.pool.acquire().await?;
    crate::store::clock::lab_now(&mut conn).await?;
    Ok(Json(Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }))
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "service", responses((status = 200, description = "OpenAPI 3.1")))]
async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(super::openapi())
}
