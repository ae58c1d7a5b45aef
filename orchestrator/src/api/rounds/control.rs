//! `POST /rounds/{id}/pause|hold|drain|resume|cancel`

use super::read::RoundRecord;
use crate::api::access::Caller;
use crate::api::campaigns::GivesReason;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write, given};
use crate::ids::RoundId;
use crate::rounds::control::{self, Ordered};
use crate::store::holds;
use crate::store::jobs::Consequences;
use crate::store::rounds::{self, Round};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// Pauses a round.
///
/// Nothing of it that has not begun begins until it is resumed; what agents do now they finish. Plates in an incubator
/// stay there: to bring them to their end, drain it. Pausing what is paused changes nothing.
#[utoipa::path(post, path = "/rounds/{id}/pause", tag = "rounds", request_body = GivesReason,
    params(("id" = RoundId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = RoundRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`round.not_in_state`"), (status = 422, body = Problem)))]
pub(super) async fn pause(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<RoundId>,
    Json(request): Json<GivesReason>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let mut write =
        match Write::begin(&state, &caller, key, "POST /rounds/{id}/pause", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let actor = write.actor();
    let ordered = control::pause(write.conn(), id, reason, actor).await?;
    answer(*write, id, ordered).await
}

/// Pauses a round: the older name of `pause`.
#[utoipa::path(post, path = "/rounds/{id}/hold", tag = "rounds", request_body = GivesReason,
    params(("id" = RoundId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = RoundRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`round.not_in_state`"), (status = 422, body = Problem)))]
pub(super) async fn hold(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<RoundId>,
    Json(request): Json<GivesReason>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let mut write =
        match Write::begin(&state, &caller, key, "POST /rounds/{id}/hold", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let actor = write.actor();
    let ordered = control::pause(write.conn(), id, reason, actor).await?;
    answer(*write, id, ordered).await
}

/// Drains a round.
///
/// Plates that have begun are brought to their end (moved, incubated, read), nothing else begins; then it is held with
/// `round.drained`. Draining what drains changes nothing.
#[utoipa::path(post, path = "/rounds/{id}/drain", tag = "rounds", request_body = GivesReason,
    params(("id" = RoundId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = RoundRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`round.not_in_state`"), (status = 422, body = Problem)))]
pub(super) async fn drain(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<RoundId>,
    Json(request): Json<GivesReason>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let mut write =
        match Write::begin(&state, &caller, key, "POST /rounds/{id}/drain", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let actor = write.actor();
    let ordered = control::drain(write.conn(), id, reason, actor).await?;
    answer(*write, id, ordered).await
}

/// Lets a held, paused or draining round go on from where it was.
///
/// Takes no body. Resuming a round that moves changes nothing.
#[utoipa::path(post, path = "/rounds/{id}/resume", tag = "rounds",
    params(("id" = RoundId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = RoundRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`round.not_in_state`")))]
pub(super) async fn resume(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<RoundId>,
) -> Result<Response, Problem> {
    let mut write = match Write::begin(&state, &caller, key, "POST /rounds/{id}/resume", &id).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let actor = write.actor();
    let ordered = control::resume(write.conn(), id, actor).await?;
    answer(*write, id, ordered).await
}

/// Ends a round before its time.
///
/// Jobs that have not begun are cancelled, running ones are asked to stop, reservations are given back.
#[utoipa::path(post, path = "/rounds/{id}/cancel", tag = "rounds", request_body = GivesReason,
    params(("id" = RoundId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = RoundRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`round.not_in_state`"), (status = 422, body = Problem)))]
pub(super) async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<RoundId>,
    Json(request): Json<GivesReason>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let mut write =
        match Write::begin(&state, &caller, key, "POST /rounds/{id}/cancel", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let actor = write.actor();
    let ordered = control::cancel(write.conn(), id, reason, actor).await?;
    answer(*write, id, ordered).await
}

async fn answer(mut write: Write, id: RoundId, ordered: Ordered) -> Result<Response, Problem> {
    let (round, consequences): (Round, Consequences) = match ordered {
        Ordered::Done(round, consequences) => (*round, consequences),
        Ordered::Already(round) => (*round, Consequences::default()),
        Ordered::NotFound => return Err(Problem::not_found("round", id)),
        Ordered::Refused(state, _) => {
            let detail = format!("The round is {}: this cannot be done any more.", state.as_str());
            return Err(Problem::conflict("round.not_in_state", detail));
        }
        Ordered::ChangedMeanwhile => {
            return Err(Problem::try_again(
                "round.changed_meanwhile",
                "Somebody changed it at the same moment.",
            ));
        }
    };
    let stages = rounds::stages(write.conn(), id).await?;
    let hold = holds::of(write.conn(), id.0).await?;
    write.finish(StatusCode::OK, &RoundRecord::of(round, stages, hold), &consequences).await
}
