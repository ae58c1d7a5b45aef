//! `POST /jobs/{id}/pause|drain|resume|cancel`

use crate::api::access::{Access, Caller, Routes};
use crate::api::campaigns::GivesReason;
use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::given;
use crate::orders::Order;
use crate::orders::job::{self, Ordered};
use crate::store::holds::Hold;
use crate::store::tokens::Scope;
use ::jobs::JobId;
use ::jobs::state::State as JobState;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let resolve = Access::AnyOf(&[Scope::JobResolve]);
    Routes::new()
        .route(resolve, routes!(pause))
        .route(resolve, routes!(drain))
        .route(resolve, routes!(resume))
        .route(resolve, routes!(cancel))
}

/// What an order did to a job, and how the job is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct JobOrdered {
    /// It was so already: nothing changed.
    already_so: bool,
    state: JobState,
    hold: Option<Hold>,
}

/// Pauses a job: it stays in the queue and is not given out.
///
/// One that is leased and has not begun is taken back. One that has begun is refused.
#[utoipa::path(post, path = "/jobs/{id}/pause", tag = "jobs", params(("id" = JobId, Path)), request_body = GivesReason,
    responses((status = 200, body = JobOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`job.not_in_state`"), (status = 422, body = Problem)))]
async fn pause(
    state: State<AppState>,
    caller: Caller,
    Path(id): Path<JobId>,
    Json(request): Json<GivesReason>,
) -> Result<Json<JobOrdered>, Problem> {
    carry_out(state, caller, id, Order::Pause, &request).await
}

/// Drains a job: it goes to its end, and what needs it to succeed does not begin.
///
/// One that has not begun is paused.
#[utoipa::path(post, path = "/jobs/{id}/drain", tag = "jobs", params(("id" = JobId, Path)), request_body = GivesReason,
    responses((status = 200, body = JobOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`job.not_in_state`"), (status = 422, body = Problem)))]
async fn drain(
    state: State<AppState>,
    caller: Caller,
    Path(id): Path<JobId>,
    Json(request): Json<GivesReason>,
) -> Result<Json<JobOrdered>, Problem> {
    carry_out(state, caller, id, Order::Drain, &request).await
}

/// Lets a paused or drained job go on.
#[utoipa::path(post, path = "/jobs/{id}/resume", tag = "jobs", params(("id" = JobId, Path)), request_body = GivesReason,
    responses((status = 200, body = JobOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`job.not_in_state`"), (status = 422, body = Problem)))]
async fn resume(
    state: State<AppState>,
    caller: Caller,
    Path(id): Path<JobId>,
    Json(request): Json<GivesReason>,
) -> Result<Json<JobOrdered>, Problem> {
    carry_out(state, caller, id, Order::Resume, &request).await
}

/// Cancels a job: at once when nobody holds it, else its worker is asked to stop at its next safe point.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", params(("id" = JobId, Path)), request_body = GivesReason,
    responses((status = 200, body = JobOrdered), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`job.not_in_state`"), (status = 422, body = Problem)))]
async fn cancel(
    state: State<AppState>,
    caller: Caller,
    Path(id): Path<JobId>,
    Json(request): Json<GivesReason>,
) -> Result<Json<JobOrdered>, Problem> {
    carry_out(state, caller, id, Order::Cancel, &request).await
}

async fn carry_out(
    State(state): State<AppState>,
    caller: Caller,
    id: JobId,
    order: Order,
    request: &GivesReason,
) -> Result<Json<JobOrdered>, Problem> {
    let reason = given(&request.reason)?;
    let mut conn = state.pool.acquire().await?;
    Ok(Json(match job::order(&mut conn, id, order, reason, caller.id()).await? {
        Ordered::Done(now, hold, consequences) => {
            state.wakeups.after(&consequences);
            state.wakeups.orders();
            JobOrdered { already_so: false, state: now, hold }
        }
        Ordered::Already(now, hold) => JobOrdered { already_so: true, state: now, hold },
        Ordered::NotFound => return Err(Problem::not_found("job", id)),
        Ordered::Refused(now, why) => {
            let detail = format!("The job is {}. {why}", now.as_str());
            return Err(Problem::conflict("job.not_in_state", detail));
        }
    }))
}
