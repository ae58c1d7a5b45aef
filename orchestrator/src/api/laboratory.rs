//! The stop of the whole laboratory. This is what HTTP can do; each device's own button is the safety function.

use super::access::{Access, Caller, Routes};
use super::campaigns::GivesReason;
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use super::write::given;
use crate::store::laboratory::{self, Place, Stop, Stopped};
use crate::store::tokens::Scope;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let order = Access::AnyOf(&[Scope::JobResolve]);
    Routes::new()
        .route(Access::AnyOf(&[Scope::Read, Scope::WorkBench]), routes!(get))
        .route(order, routes!(stop))
        .route(order, routes!(resume))
}

/// Whether the laboratory is stopped, and which agents have confirmed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Laboratory {
    /// Absent: it is not stopped.
    pub stop: Option<Stop>,
    /// While it is stopped: each instrument, and whoever else confirmed.
    pub places: Vec<Place>,
    /// Instruments whose agent has not confirmed: look at them yourself.
    pub not_confirmed: Vec<String>,
}

async fn read(conn: &mut PgConnection) -> Result<Laboratory, Problem> {
    let stop = laboratory::open(conn).await?;
    let places = match &stop {
        Some(stop) => laboratory::places(conn, stop.id).await?,
        None => Vec::new(),
    };
    let not_confirmed = places.iter().filter(|it| it.standing.is_none()).map(|it| it.place.clone()).collect();
    Ok(Laboratory { stop, places, not_confirmed })
}

/// Whether the laboratory is stopped, by whom, since when, and how each agent stands.
#[utoipa::path(get, path = "/laboratory", tag = "laboratory",
    responses((status = 200, body = Laboratory)))]
async fn get(State(state): State<AppState>) -> Result<Json<Laboratory>, Problem> {
    Ok(Json(read(&mut *state.pool.acquire().await?).await?))
}

/// Stops the laboratory: no work of devices or hands is given out, what runs goes to its next safe point and ends.
///
/// Stays so until it is resumed, also over restarts. Stopping what is stopped changes nothing.
#[utoipa::path(post, path = "/laboratory/stop", tag = "laboratory",
    request_body = GivesReason,
    responses((status = 200, body = Laboratory),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn stop(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<GivesReason>,
) -> Result<Json<Laboratory>, Problem> {
    let reason = given(&request.reason)?;
    let mut conn = state.pool.acquire().await?;
    if let Stopped::Done(_) = laboratory::stop(&mut conn, reason, caller.id()).await? {
        state.wakeups.orders();
    }
    Ok(Json(read(&mut conn).await?))
}

/// Lets the laboratory go on.
///
/// What was stopped stays ended: its rounds are held where a person must look at the bench first. Resuming what is
/// not stopped changes nothing.
#[utoipa::path(post, path = "/laboratory/resume", tag = "laboratory",
    request_body = GivesReason,
    responses((status = 200, body = Laboratory),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn resume(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<GivesReason>,
) -> Result<Json<Laboratory>, Problem> {
    let reason = given(&request.reason)?;
    let mut tx = Begun::on(&state.pool).await?;
    let lifted = laboratory::lift(&mut tx, reason, caller.id()).await?;
    let laboratory = read(&mut tx).await?;
    tx.commit().await?;
    if lifted.is_some() {
        state.wakeups.orders();
        state.wakeups.settled();
        for queue in ["bench", "people"] {
            state.wakeups.jobs(queue);
        }
    }
    Ok(Json(laboratory))
}
