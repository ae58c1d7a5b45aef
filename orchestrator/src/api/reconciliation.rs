//! After a failover or a restore: who has told what it did, and when robots are given work again.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path};
use super::leases::WORK;
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use super::write::given;
use crate::store::reconciliation::{self, Answered, Closed, Excused, Standing};
use crate::store::tokens::Scope;
use ::jobs::wire::{Reconciled, ReconciledAnswer};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let decide = Access::AnyOf(&[Scope::JobResolve]);
    Routes::new()
        .route(Access::AnyOf(WORK), routes!(reconciled))
        .route(Access::AnyOf(&[Scope::Read]), routes!(get))
        .route(decide, routes!(excuse))
        .route(decide, routes!(close))
}

/// A worker has offered everything it has to this life of the database.
#[utoipa::path(
    post,
    path = "/reconciliations/{epoch}/reconciled",
    tag = "work",
    params(("epoch" = String, Path)),
    request_body = Reconciled,
    responses((status = 200, body = ReconciledAnswer), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn reconciled(
    State(state): State<AppState>,
    caller: Caller,
    Path(epoch): Path<String>,
    Json(word): Json<Reconciled>,
) -> Result<Json<ReconciledAnswer>, Problem> {
    if word.instrument.is_some() {
        caller.require(Scope::WorkBench)?;
    }
    let mut conn = state.pool.acquire().await?;
    if let Some(consequences) = reconciliation::observe(&mut conn).await? {
        state.wakeups.after(&consequences);
    }
    match reconciliation::reconciled(&mut conn, &epoch, caller.id(), &word).await? {
        Answered::Taken => {}
        Answered::OtherEpoch(now) => {
            state.saw_epoch(&now);
            let detail =
                format!("Yet another life of the database answers: {now}. Offer everything to that one.");
            return Err(Problem::conflict("reconciliation.other_epoch", detail));
        }
        Answered::UnknownInHand(job) => {
            let detail = format!(
                "This life of the database knows nothing of the lease of job {job}, which you have in hand. Bring it \
                 to a safe point, report it, then say again that everything was offered."
            );
            return Err(Problem::conflict("reconciliation.in_hand_unknown", detail));
        }
    }
    if reconciliation::close_if_nothing_was_lost(&mut conn).await? {
        wake(&state);
    }
    let gate = reconciliation::gate(&mut conn).await?;
    Ok(Json(ReconciledAnswer { closed: gate.is_open, waits_for: gate.waits_for }))
}

/// Where the reconciliation of this life of the database stands.
#[utoipa::path(get, path = "/reconciliation", tag = "service", responses((status = 200, body = Standing)))]
async fn get(State(state): State<AppState>) -> Result<Json<Standing>, Problem> {
    let mut conn = state.pool.acquire().await?;
    if let Some(consequences) = reconciliation::observe(&mut conn).await? {
        state.wakeups.after(&consequences);
    }
    Ok(Json(reconciliation::standing(&mut conn).await?))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExcuseRequest {
    instrument: String,
    /// Why nobody waits for its agent.
    reason: String,
}

/// Nobody waits for this instrument's agent any more: what it did since is known otherwise, or nothing.
#[utoipa::path(
    post,
    path = "/reconciliation/excuse",
    tag = "service",
    request_body = ExcuseRequest,
    responses((status = 200, body = Standing), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn excuse(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<ExcuseRequest>,
) -> Result<Json<Standing>, Problem> {
    let reason = given(&request.reason)?;
    let mut tx = Begun::on(&state.pool).await?;
    let excused = reconciliation::excuse(&mut tx, &request.instrument, caller.id(), reason).await?;
    if excused == Excused::NotAwaited {
        let detail = format!("Nobody waits for {}: it was heard of, or is excused.", request.instrument);
        return Err(Problem::conflict("reconciliation.not_awaited", detail));
    }
    tx.commit().await?;
    let mut conn = state.pool.acquire().await?;
    if reconciliation::close_if_nothing_was_lost(&mut conn).await? {
        wake(&state);
    }
    Ok(Json(reconciliation::standing(&mut conn).await?))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CloseRequest {
    /// What was looked at.
    reason: String,
}

/// Robots are given work again.
#[utoipa::path(
    post,
    path = "/reconciliation/close",
    tag = "service",
    request_body = CloseRequest,
    responses((status = 200, body = Standing), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn close(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<CloseRequest>,
) -> Result<Json<Standing>, Problem> {
    let reason = given(&request.reason)?;
    let mut tx = Begun::on(&state.pool).await?;
    match reconciliation::close(&mut tx, caller.id(), reason).await? {
        Closed::Done | Closed::AlreadyDone => {}
        Closed::WaitsFor(instruments) => {
            let detail = format!(
                "Not heard of yet: {}. Start their agents, or excuse each with a reason.",
                instruments.join(", ")
            );
            return Err(Problem::conflict("reconciliation.waits", detail));
        }
    }
    let standing = reconciliation::standing(&mut tx).await?;
    tx.commit().await?;
    wake(&state);
    Ok(Json(standing))
}

/// Agents ask again, and rounds are planned.
fn wake(state: &AppState) {
    state.wakeups.jobs("bench");
    state.wakeups.jobs("people");
    state.wakeups.settled();
}
