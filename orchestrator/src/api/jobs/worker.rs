//! What a worker says of the job it holds. 409 is for authority, never for testimony.

use crate::api::access::{Access, Caller, Routes};
use crate::api::extract::{Json, Path};
use crate::api::leases::{self, WORK};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::steps::{self, Step};
use crate::store::jobs::{self, Authority, Released, Reported};
use ::jobs::JobId;
use ::jobs::wire::{self, Heartbeat, HeartbeatAnswer, ReportAndNext, ReportedAndNext};
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let work = Access::AnyOf(WORK);
    Routes::new()
        .route(work, routes!(start))
        .route(work, routes!(heartbeat))
        .route(work, routes!(release))
        .route(work, routes!(report))
}

/// The worker is about to begin. Only after the answer may anything physical happen.
#[utoipa::path(
    post,
    path = "/jobs/{id}/start",
    tag = "work",
    params(("id" = JobId, Path)),
    request_body = wire::Authority,
    responses((status = 200, body = HeartbeatAnswer), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn start(
    State(state): State<AppState>,
    Path(job): Path<JobId>,
    Json(authority): Json<wire::Authority>,
) -> Result<Json<HeartbeatAnswer>, Problem> {
    steps::before(Step::StartJob).await;
    let started = state.starter.start(job, authority.lease_token).await?;
    steps::after(Step::StartJob).await;
    held(started).map(Json)
}

/// The worker is alive: its lease is renewed.
#[utoipa::path(
    post,
    path = "/jobs/{id}/heartbeat",
    tag = "work",
    params(("id" = JobId, Path)),
    request_body = Heartbeat,
    responses((status = 200, body = HeartbeatAnswer), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn heartbeat(
    State(state): State<AppState>,
    Path(job): Path<JobId>,
    Json(beat): Json<Heartbeat>,
) -> Result<Json<HeartbeatAnswer>, Problem> {
    steps::before(Step::Heartbeat).await;
    let mut conn = state.pool.acquire().await?;
    let beaten = jobs::heartbeat(&mut conn, job, &beat, state.config.lease_duration).await?;
    steps::after(Step::Heartbeat).await;
    held(beaten).map(Json)
}

/// The worker gives the job back before it began.
#[utoipa::path(
    post,
    path = "/jobs/{id}/release",
    tag = "work",
    params(("id" = JobId, Path)),
    request_body = wire::Authority,
    responses((status = 204), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn release(
    State(state): State<AppState>,
    Path(job): Path<JobId>,
    Json(authority): Json<wire::Authority>,
) -> Result<StatusCode, Problem> {
    let mut conn = state.pool.acquire().await?;
    match held(jobs::release(&mut conn, job, authority.lease_token).await?)? {
        Released::Released(consequences) => {
            state.wakeups.after(&consequences);
            Ok(StatusCode::NO_CONTENT)
        }
        Released::HasBegun => {
            let detail = "It has begun, so it cannot be given back. Report how it ended.";
            Err(Problem::conflict("job.has_begun", detail))
        }
    }
}

/// How the attempt ended. Taken whatever became of the lease; a repeat changes nothing.
#[utoipa::path(
    post,
    path = "/jobs/{id}/report",
    tag = "work",
    params(("id" = JobId, Path)),
    request_body = ReportAndNext,
    responses((status = 200, body = ReportedAndNext), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
async fn report(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
    Json(ReportAndNext { report, next }): Json<ReportAndNext>,
) -> Result<Json<ReportedAndNext>, Problem> {
    if let Some(wanted) = &next {
        leases::check(&caller, wanted)?;
    }
    if let Some(lease) = &report.lease {
        // What was done in a life that was lost has no lease here that would prove it.
        leases::does(&caller, lease.work.kind())?;
    }
    let disposition = match state.reporter.report(job, caller.id(), &report).await? {
        Reported::Taken(disposition, _) => disposition,
        Reported::NoSuchJob => return Err(Problem::not_found("job", job)),
        Reported::WrongKind { expected, got } => {
            let detail =
                format!("The job is a {expected}, the output says {got}. Send the output of its own kind.");
            return Err(Problem::unprocessable("job.output_of_another_kind", detail));
        }
    };
    let next = match next {
        // The report is taken: why there is no work now is said to whoever asks for work alone.
        Some(wanted) => leases::next(&state, &caller, wanted).await.unwrap_or_default(),
        None => None,
    };
    Ok(Json(ReportedAndNext { disposition, next }))
}

fn held<T>(authority: Authority<T>) -> Result<T, Problem> {
    match authority {
        Authority::Held(value) => Ok(value),
        Authority::Lost => {
            let detail = "No lease has this token any more. Stop at the next safe point, begin nothing, and report how \
                          far it came.";
            Err(Problem::conflict("job.authority_lost", detail))
        }
    }
}
