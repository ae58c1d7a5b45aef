//! Jobs as people see them, stop them, and say what happened to those in doubt.

use crate::api::access::{Access, Caller, Routes};
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::given;
use crate::ids::{PlateId, RoundId};
use crate::store::jobs::{self, Detail, Filter, Resolution, Resolved, Stopped, Summary};
use crate::store::tokens::Scope;
use ::jobs::JobId;
use ::jobs::state::State as JobState;
use ::jobs::work::Kind;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    let resolve_scope = Access::AnyOf(&[Scope::JobResolve]);
    Routes::new()
        .route(read, routes!(list))
        .route(read, routes!(get))
        .route(resolve_scope, routes!(stop))
        .route(resolve_scope, routes!(resolve))
}

/// Which jobs are wanted; all that are given must fit.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    state: Option<JobState>,
    kind: Option<Kind>,
    round_id: Option<RoundId>,
    plate_id: Option<PlateId>,
    /// Name of the instrument they are addressed to.
    instrument: Option<String>,
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(Wanted, PageQuery), responses((status = 200, body = Page<Summary>)))]
async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Summary>>, Problem> {
    let filter = Filter {
        state: wanted.state,
        kind: wanted.kind,
        round_id: wanted.round_id,
        plate_id: wanted.plate_id,
        instrument: wanted.instrument,
    };
    let mut conn = state.pool.acquire().await?;
    let jobs = jobs::list(&mut conn, &caller.visible(), &filter, page.after()?, page.limit()).await?;
    Ok(Json(Page::new(jobs, &page, |job| job.id)))
}

/// One job with everything that was ever said of it.
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    tag = "jobs",
    params(("id" = JobId, Path)),
    responses((status = 200, body = Detail), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
async fn get(State(state): State<AppState>, Path(job): Path<JobId>) -> Result<Json<Detail>, Problem> {
    let mut conn = state.pool.acquire().await?;
    Ok(Json(jobs::get(&mut conn, job).await?))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StopRequest {
    reason: String,
}

/// What a request to stop did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StopDisposition {
    /// Nobody held it: it is cancelled.
    Cancelled,
    /// Its worker is told at once.
    Requested,
    /// Its worker had been told before.
    AlreadyDone,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct StopAnswer {
    disposition: StopDisposition,
}

/// Asks to stop a job. This is what HTTP can do; the device's own button is the safety function.
#[utoipa::path(
    post,
    path = "/jobs/{id}/stop",
    tag = "jobs",
    params(("id" = JobId, Path)),
    request_body = StopRequest,
    responses((status = 200, body = StopAnswer), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn stop(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
    Json(request): Json<StopRequest>,
) -> Result<Json<StopAnswer>, Problem> {
    let reason = given(&request.reason)?;
    let mut conn = state.pool.acquire().await?;
    let disposition = match jobs::stop(&mut conn, job, caller.id(), reason).await? {
        Stopped::Cancelled(consequences) => {
            state.wakeups.after(&consequences);
            StopDisposition::Cancelled
        }
        Stopped::Requested => {
            state.wakeups.orders();
            StopDisposition::Requested
        }
        Stopped::AlreadyDone => StopDisposition::AlreadyDone,
        Stopped::Refused(now) => {
            let detail = format!("The job is {}: there is nothing to stop.", now.as_str());
            return Err(Problem::conflict("job.not_stoppable", detail));
        }
    };
    Ok(Json(StopAnswer { disposition }))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResolveRequest {
    resolution: Resolution,
    /// What was seen, for the record.
    reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct ResolveAnswer {
    /// The job that does the work in its stead, after `not_done`.
    replaced_by: Option<JobId>,
}

/// Says what happened to a job in doubt, after looking.
#[utoipa::path(
    post,
    path = "/jobs/{id}/resolve",
    tag = "jobs",
    params(("id" = JobId, Path)),
    request_body = ResolveRequest,
    responses((status = 200, body = ResolveAnswer), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn resolve(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
    Json(request): Json<ResolveRequest>,
) -> Result<Json<ResolveAnswer>, Problem> {
    let reason = given(&request.reason)?;
    let mut conn = state.pool.acquire().await?;
    match jobs::resolve(&mut conn, job, request.resolution, caller.id(), reason).await? {
        Resolved::Settled { consequences, replaced_by } => {
            state.wakeups.after(&consequences);
            Ok(Json(ResolveAnswer { replaced_by }))
        }
        Resolved::Refused(now) => {
            let detail = format!("The job is {}, not in doubt: there is nothing to resolve.", now.as_str());
            Err(Problem::conflict("job.not_in_doubt", detail))
        }
        Resolved::ComesAfter(before) => {
            let before: Vec<String> = before.iter().map(ToString::to_string).collect();
            let detail = format!(
                "It can only have been done after {}, which has not ended here. Say first what became of that.",
                before.join(", ")
            );
            Err(Problem::conflict("job.comes_after_unsettled", detail))
        }
    }
}
