//! Workers ask for work and wait for it.

use super::access::{Access, Caller, Routes};
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use crate::queue;
use crate::store::instruments;
use crate::store::jobs::Wanted;
use crate::store::tokens::Scope;
use ::jobs::CONTRACT_VERSION;
use ::jobs::wire::{Lease, LeaseRequest};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use utoipa_axum::routes;

/// Any scope that lets its holder work.
pub(super) const WORK: &[Scope] = &[Scope::WorkBench, Scope::WorkLearn, Scope::WorkPeople];

const LONGEST_WAIT_SECONDS: u32 = 30;

pub(super) fn routes() -> Routes {
    Routes::new().route(Access::AnyOf(WORK), routes!(lease))
}

/// One job that the worker can do, as soon as there is one.
#[utoipa::path(
    post,
    path = "/leases",
    tag = "work",
    request_body = LeaseRequest,
    responses(
        (status = 200, body = Lease),
        (status = 204, description = "nothing to do within the wait"),
        (status = 426, body = Problem, content_type = "application/problem+json", description = "the worker is too old"),
    )
)]
async fn lease(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<LeaseRequest>,
) -> Result<Response, Problem> {
    check_contract(request.contract_version)?;
    let unknown = || {
        let detail = format!(
            "There is no queue {:?}: it is `learner`, `predict`, `bench` or `people`.",
            request.queue
        );
        Problem::unprocessable("lease.queue_unknown", detail)
    };
    caller.require(Scope::of_queue(&request.queue).ok_or_else(unknown)?)?;
    if request.wait_seconds > LONGEST_WAIT_SECONDS {
        let detail = format!("wait_seconds is at most {LONGEST_WAIT_SECONDS}; ask again after that.");
        return Err(Problem::unprocessable("lease.wait_too_long", detail));
    }
    if let Some(instrument) = &request.instrument {
        instruments::seen(&mut *state.pool.acquire().await?, instrument).await?;
    }
    let wanted =
        Wanted { queue: request.queue, capabilities: request.capabilities, instrument: request.instrument };
    let wait = Duration::from_secs(request.wait_seconds.into());
    let granted = state.leaser.lease(wanted, caller.id(), wait).await?;
    Ok(match granted.and_then(queue::Granted::take) {
        Some(lease) => Json(lease).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn check_contract(version: u32) -> Result<(), Problem> {
    if version == CONTRACT_VERSION {
        return Ok(());
    }
    let (who, what) = if version < CONTRACT_VERSION {
        ("worker", "Update the worker")
    } else {
        ("server", "Update the server")
    };
    let detail = format!(
        "The worker speaks version {version} of the contract, this server version {CONTRACT_VERSION}. The {who} is \
         too old. {what}, then start the worker again; what it has in hand it can still report."
    );
    Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "lease.contract_version", detail))
}

impl From<queue::Error> for Problem {
    fn from(error: queue::Error) -> Self {
        let code = match error {
            queue::Error::Full => "lease.too_many_waiting",
            queue::Error::Store(_) => "lease.unavailable",
        };
        Problem::try_again(code, format!("Not now: {error}. Ask again in a moment."))
    }
}
