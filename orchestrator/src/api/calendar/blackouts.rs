//! `GET|POST|DELETE /calendar/blackouts..`

use super::week::zone;
use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write, given};
use crate::calendar::{Moment, Window};
use crate::ids::BlackoutId;
use crate::store;
use crate::store::blackouts::{self, Blackout, NewBlackout};
use crate::store::jobs::Consequences;
use crate::store::{clock, instruments};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// When no round may begin, or when an instrument is in maintenance.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddBlackout {
    #[schema(value_type = String, example = "2026-12-24")]
    pub from: Moment,
    /// A date is in it to its end.
    #[schema(value_type = String, example = "2026-12-31")]
    pub to: Moment,
    pub reason: String,
    /// By whose wall clock; UTC when absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// Only this one is away; rounds begin all the same, and the calendar says what does not fit.
    #[serde(default)]
    pub instrument: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those that are over as well; `false` when absent.
    past: Option<bool>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Blackouts {
    /// By their beginning.
    pub items: Vec<Blackout>,
}

/// Blackouts of the installation and maintenance of instruments.
#[utoipa::path(get, path = "/calendar/blackouts", tag = "calendar", params(Wanted),
    responses((status = 200, body = Blackouts)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Blackouts>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let from = match wanted.past {
        Some(true) => chrono::DateTime::UNIX_EPOCH,
        _ => clock::lab_now(&mut conn).await?,
    };
    Ok(Json(Blackouts { items: blackouts::list(&mut conn, from).await? }))
}

/// Enters a blackout.
///
/// Ticks inside it are shifted to its end or skipped, as each campaign's schedule says; ticks that were judged
/// already stay as they are.
#[utoipa::path(post, path = "/calendar/blackouts", tag = "calendar", request_body = AddBlackout,
    params(("idempotency-key" = Option<String>, Header)),
    responses((status = 201, body = Blackout),
        (status = 404, body = Problem, description = "there is no such instrument"),
        (status = 422, body = Problem, description = "`calendar.range_invalid`, `calendar.zone_unknown`, `request.reason_missing`")))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Json(request): Json<AddBlackout>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?.to_owned();
    let zone = zone(request.zone.as_deref())?;
    let window = Window { from: request.from.begin(zone), to: request.to.end(zone), reason };
    if window.from >= window.to {
        let detail = format!("From {} to {} is no time: `to` is after `from`.", request.from, request.to);
        return Err(Problem::unprocessable("calendar.range_invalid", detail));
    }
    let mut write = match Write::begin(&state, &caller, key, "POST /calendar/blackouts", &request).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    if let Some(instrument) = &request.instrument {
        instruments::get(write.conn(), instrument).await?;
    }
    let new = NewBlackout { instrument: request.instrument, window, zone };
    let actor = write.actor();
    let blackout = blackouts::insert(write.conn(), &new, actor).await?;
    write.finish(StatusCode::CREATED, &blackout, &Consequences::default()).await
}

/// Takes a blackout off the calendar.
#[utoipa::path(delete, path = "/calendar/blackouts/{id}", tag = "calendar", params(("id" = BlackoutId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<BlackoutId>,
) -> Result<StatusCode, Problem> {
    let mut tx = store::begin_on(&state.pool).await?;
    blackouts::remove(&mut tx, id, caller.id()).await?;
    tx.commit().await?;
    state.wakeups.settled();
    Ok(StatusCode::NO_CONTENT)
}
