//! What time it is, by both clocks.

use super::access::{Access, Routes};
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use crate::store::clock::{self, Reading};
use crate::store::tokens::Scope;
use axum::extract::State;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let all = Access::AnyOf(&[Scope::Read, Scope::WorkBench, Scope::WorkLearn, Scope::WorkPeople]);
    Routes::new().route(all, routes!(get))
}

/// Laboratory time and real time.
#[utoipa::path(get, path = "/clock", tag = "service", responses((status = 200, body = Reading)))]
async fn get(State(state): State<AppState>) -> Result<Json<Reading>, Problem> {
    let mut conn = state.pool.acquire().await?;
    Ok(Json(clock::read(&mut conn).await?))
}
