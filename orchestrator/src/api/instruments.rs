//! The devices of the laboratory.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::store::events::{self, NewEvent};
use crate::store::instruments::{self, Instrument, Registration};
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read, Scope::WorkBench]);
    Routes::new()
        .route(read, routes!(list))
        .route(read, routes!(get))
        .route(Access::AnyOf(&[Scope::InstrumentWrite]), routes!(put))
}

/// Every instrument, by name.
#[utoipa::path(get, path = "/instruments", tag = "instruments", responses((status = 200, body = Vec<Instrument>)))]
async fn list(State(state): State<AppState>) -> Result<Json<Vec<Instrument>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    Ok(Json(instruments::list(&mut conn).await?))
}

/// One instrument.
#[utoipa::path(
    get,
    path = "/instruments/{name}",
    tag = "instruments",
    params(("name" = String, Path)),
    responses((status = 200, body = Instrument), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
async fn get(State(state): State<AppState>, Path(name): Path<String>) -> Result<Json<Instrument>, Problem> {
    let mut conn = state.pool.acquire().await?;
    Ok(Json(instruments::get(&mut conn, &name).await?))
}

/// Registers an instrument, or changes what it can do and whether it is in service.
#[utoipa::path(
    put,
    path = "/instruments/{name}",
    tag = "instruments",
    params(("name" = String, Path)),
    request_body = Registration,
    responses((status = 200, body = Instrument), (status = 201, body = Instrument))
)]
async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, Json<Instrument>), Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    let new = instruments::register(&mut tx, &name, &registration).await?;
    let event = NewEvent {
        kind: if new { "InstrumentRegistered" } else { "InstrumentChanged" },
        subject: "instrument",
        subject_id: name.clone(),
        campaign_id: None,
        actor: caller.id(),
        body: json!(registration),
    };
    events::append(&mut tx, &event).await?;
    let instrument = instruments::get(&mut tx, &name).await?;
    tx.commit().await?;
    // It may have come back into service.
    state.wakeups.jobs("bench");
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(instrument)))
}
