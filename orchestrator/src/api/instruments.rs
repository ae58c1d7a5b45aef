//! The devices of the laboratory.

use super::access::{Access, Caller, Routes};
use super::calendar::zone;
use super::extract::{Json, Path, Query};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use super::write::given;
use crate::orders::Order;
use crate::orders::instrument::{self as orders, Ordered};
use crate::planning::profile::{self, Unfit};
use crate::store::events::{self, NewEvent};
use crate::store::instruments::work::{self, InstrumentWork};
use crate::store::instruments::{self, Instrument, Registration};
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

const DEFAULT_DAYS: u64 = 14;
const MOST_DAYS: u64 = 92;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read, Scope::WorkBench]);
    // Who stands at the bench may take a device out of service.
    let order = Access::AnyOf(&[Scope::InstrumentWrite, Scope::JobResolve]);
    Routes::new()
        .route(read, routes!(list))
        .route(read, routes!(get))
        .route(read, routes!(done))
        .route(Access::AnyOf(&[Scope::InstrumentWrite]), routes!(put))
        .route(order, routes!(pause))
        .route(order, routes!(drain))
        .route(order, routes!(resume))
        .route(order, routes!(cancel))
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

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Days looked back on, today among them: 1 to 92, 14 when absent.
    #[param(minimum = 1, maximum = 92)]
    days: Option<u64>,
    /// IANA name; whose days they are. UTC when absent.
    zone: Option<String>,
}

/// What an instrument did on the last days, and what is before it.
///
/// Counted are the jobs that are addressed to it, of all projects.
#[utoipa::path(
    get,
    path = "/instruments/{name}/work",
    tag = "instruments",
    params(("name" = String, Path), Wanted),
    responses((status = 200, body = InstrumentWork), (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "`instrument.days_invalid`, `calendar.zone_unknown`"))
)]
async fn done(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<InstrumentWork>, Problem> {
    let zone = zone(wanted.zone.as_deref())?;
    let days = wanted.days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let detail = format!("{days} days are no view: 1 to {MOST_DAYS}.");
        return Err(Problem::unprocessable("instrument.days_invalid", detail));
    }
    let mut conn = state.pool.acquire().await?;
    instruments::get(&mut conn, &name).await?;
    Ok(Json(work::of(&mut conn, &name, zone, Utc::now(), days).await?))
}

/// Registers an instrument, or changes what it can do and whether it is in service.
#[utoipa::path(
    put,
    path = "/instruments/{name}",
    tag = "instruments",
    params(("name" = String, Path)),
    request_body = Registration,
    responses((status = 200, body = Instrument), (status = 201, body = Instrument),
        (status = 422, body = Problem, description = "`instrument.name_invalid`, `instrument.profile_invalid`"))
)]
async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, Json<Instrument>), Problem> {
    let unfit = |code: &str, why: Unfit| Problem::unprocessable(code, format!("{why}."));
    profile::check_profile(&registration.capabilities, &registration.profile)
        .map_err(|why| unfit("instrument.profile_invalid", why))?;
    let mut tx = Begun::on(&state.pool).await?;
    // One that is known by another kind of name keeps it: campaigns and places speak of it.
    if instruments::lock(&mut tx, &name).await?.is_none() {
        profile::check_name(&name).map_err(|why| unfit("instrument.name_invalid", why))?;
    }
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

/// Why, and for how long.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InstrumentOrder {
    reason: String,
    /// When it is expected back (laboratory time), for people; nothing happens then by itself.
    #[serde(default)]
    back_lab_at: Option<DateTime<Utc>>,
}

/// What an order did to an instrument, and how it is now.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct InstrumentOrdered {
    /// It was so already: nothing changed.
    already_so: bool,
    /// Jobs on it that were asked to stop.
    stopping: usize,
    instrument: Instrument,
}

/// Pauses an instrument: it is in maintenance, and nothing begins on it; a step that has begun is brought to its end.
#[utoipa::path(post, path = "/instruments/{name}/pause", tag = "instruments", params(("name" = String, Path)),
    request_body = InstrumentOrder,
    responses((status = 200, body = InstrumentOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`instrument.not_in_state`"), (status = 422, body = Problem)))]
async fn pause(
    state: State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(request): Json<InstrumentOrder>,
) -> Result<Json<InstrumentOrdered>, Problem> {
    carry_out(state, caller, &name, Order::Pause, &request).await
}

/// Drains an instrument: it does only what belongs to plates that have begun; when nothing of them is left on it, it is
/// in maintenance.
#[utoipa::path(post, path = "/instruments/{name}/drain", tag = "instruments", params(("name" = String, Path)),
    request_body = InstrumentOrder,
    responses((status = 200, body = InstrumentOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`instrument.not_in_state`"), (status = 422, body = Problem)))]
async fn drain(
    state: State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(request): Json<InstrumentOrder>,
) -> Result<Json<InstrumentOrdered>, Problem> {
    carry_out(state, caller, &name, Order::Drain, &request).await
}

/// Puts an instrument back into service.
#[utoipa::path(post, path = "/instruments/{name}/resume", tag = "instruments", params(("name" = String, Path)),
    request_body = InstrumentOrder,
    responses((status = 200, body = InstrumentOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`instrument.not_in_state`"), (status = 422, body = Problem)))]
async fn resume(
    state: State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(request): Json<InstrumentOrder>,
) -> Result<Json<InstrumentOrdered>, Problem> {
    carry_out(state, caller, &name, Order::Resume, &request).await
}

/// Asks what runs on an instrument to stop at its next safe point; it is in maintenance.
#[utoipa::path(post, path = "/instruments/{name}/cancel", tag = "instruments", params(("name" = String, Path)),
    request_body = InstrumentOrder,
    responses((status = 200, body = InstrumentOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`instrument.not_in_state`"), (status = 422, body = Problem)))]
async fn cancel(
    state: State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(request): Json<InstrumentOrder>,
) -> Result<Json<InstrumentOrdered>, Problem> {
    carry_out(state, caller, &name, Order::Cancel, &request).await
}

async fn carry_out(
    State(state): State<AppState>,
    caller: Caller,
    name: &str,
    order: Order,
    request: &InstrumentOrder,
) -> Result<Json<InstrumentOrdered>, Problem> {
    let reason = given(&request.reason)?;
    let mut conn = state.pool.acquire().await?;
    let ordered = orders::order(&mut conn, name, order, reason, request.back_lab_at, caller.id()).await?;
    Ok(Json(match ordered {
        Ordered::Done { instrument, stopping } => {
            state.wakeups.jobs("bench");
            state.wakeups.orders();
            state.wakeups.settled();
            InstrumentOrdered { already_so: false, stopping, instrument }
        }
        Ordered::Already(instrument) => InstrumentOrdered { already_so: true, stopping: 0, instrument },
        Ordered::NotFound => return Err(Problem::not_found("instrument", name)),
        Ordered::Refused(why) => return Err(Problem::conflict("instrument.not_in_state", why)),
    }))
}
