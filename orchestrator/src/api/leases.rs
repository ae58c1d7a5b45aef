//! Workers ask for work and wait for it.

use super::access::{Access, Caller, Routes};
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use crate::queue;
use crate::store::jobs::Wanted;
use crate::store::reconciliation::{self, Gate};
use crate::store::tokens::Scope;
use ::jobs::client::RECONCILING;
use ::jobs::wire::{Lease, LeaseRequest, ORDERS_HEADER};
use ::jobs::work::Kind;
use ::jobs::{CONTRACT_VERSION, OLDEST_CONTRACT};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::ops::RangeInclusive;
use std::time::Duration;
use utoipa_axum::routes;

/// Any scope that lets its holder work.
pub(super) const WORK: &[Scope] = &[Scope::WorkBench, Scope::WorkLearn, Scope::WorkPeople];

pub(super) const LONGEST_WAIT_SECONDS: u32 = 30;
/// Queues whose work moves nothing outside of computers.
const THINKERS: [&str; 2] = ["learner", "predict"];

pub(super) fn routes() -> Routes {
    Routes::new().route(Access::AnyOf(WORK), routes!(lease))
}

/// One job that the worker can do, as soon as there is one.
///
/// With `hears_orders` a stop of the laboratory ends the wait too, and `loopwright-orders` says what there is to hear at
/// `POST /orders`: `nothing`, `stop`, or not there when that is not known.
#[utoipa::path(
    post,
    path = "/leases",
    tag = "work",
    request_body = LeaseRequest,
    responses(
        (status = 200, body = Lease),
        (status = 204, description = "nothing to do within the wait, or a stop ended it"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "another life of the database: offer what you did first"),
        (status = 426, body = Problem, content_type = "application/problem+json", description = "the worker is too old"),
    )
)]
async fn lease(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<LeaseRequest>,
) -> Result<Response, Problem> {
    check(&caller, &request)?;
    if !request.hears_orders {
        return Ok(answer(next(&state, &caller, request).await?));
    }
    let queue = request.queue.clone();
    let mut watching = state.orders.watch();
    let lease = tokio::select! {
        // What was leased in this very moment is given back when it is dropped.
        lease = next(&state, &caller, request) => lease?,
        () = watching.stop(&queue) => None,
    };
    let mut answer = answer(lease);
    if let Some(word) = watching.sees(&queue).word() {
        answer.headers_mut().insert(ORDERS_HEADER, HeaderValue::from_static(word));
    }
    Ok(answer)
}

fn answer(lease: Option<Lease>) -> Response {
    match lease {
        Some(lease) => Json(lease).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Whether `caller` may ask so.
pub(super) fn check(caller: &Caller, request: &LeaseRequest) -> Result<(), Problem> {
    check_contract(request.contract_version, OLDEST_CONTRACT..=CONTRACT_VERSION)?;
    works_at(caller, &request.queue)?;
    if request.wait_seconds > LONGEST_WAIT_SECONDS {
        let detail = format!("wait_seconds is at most {LONGEST_WAIT_SECONDS}; ask again after that.");
        return Err(Problem::unprocessable("lease.wait_too_long", detail));
    }
    Ok(())
}

/// Whether `caller` may do the work of `queue`, and speak for whoever does.
pub(super) fn works_at(caller: &Caller, queue: &str) -> Result<(), Problem> {
    let unknown = || {
        let detail = format!("There is no queue {queue:?}: it is `learner`, `predict`, `bench` or `people`.");
        Problem::unprocessable("lease.queue_unknown", detail)
    };
    caller.require(Scope::of_queue(queue).ok_or_else(unknown)?)
}

/// Whether `caller` may do work of this kind, in the kind's queue or, where people can do it, in theirs.
pub(super) fn does(caller: &Caller, kind: Kind) -> Result<(), Problem> {
    let own = works_at(caller, kind.queue());
    if matches!(kind, Kind::Move | Kind::Incubate) {
        own.or_else(|_| works_at(caller, "people"))
    } else {
        own
    }
}

/// The next job for a request that was checked; `None` when there was none within its wait.
pub(super) async fn next(
    state: &AppState,
    caller: &Caller,
    request: LeaseRequest,
) -> Result<Option<Lease>, Problem> {
    if let Some(instrument) = &request.instrument {
        Box::pin(state.signs.saw(instrument)).await?;
    }
    if !THINKERS.contains(&request.queue.as_str()) {
        let gate = Box::pin(gate(state)).await?;
        let has_reconciled = request.epoch.as_ref().is_none_or(|epoch| *epoch == gate.epoch);
        if !gate.is_open || !has_reconciled {
            return Err(still_reconciling(&gate));
        }
    }
    let wanted =
        Wanted { queue: request.queue, capabilities: request.capabilities, instrument: request.instrument };
    let wait = Duration::from_secs(request.wait_seconds.into());
    let granted = state.leaser.lease(wanted, caller.id(), wait).await?;
    Ok(granted.and_then(queue::Granted::take))
}

async fn gate(state: &AppState) -> Result<Gate, Problem> {
    if let Some(gate) = state.known.open_gate() {
        return Ok(gate);
    }
    let _one = state.known.looks().await;
    if let Some(gate) = state.known.gate_just_read() {
        return Ok(gate);
    }
    let gate = reconciliation::gate(&mut *state.pool.acquire().await?).await?;
    state.saw_epoch(&gate.epoch);
    state.known.saw_gate(&gate);
    Ok(gate)
}

fn still_reconciling(gate: &Gate) -> Problem {
    let waits = if gate.waits_for.is_empty() {
        String::new()
    } else {
        format!(" Not heard of yet: {}.", gate.waits_for.join(", "))
    };
    let detail = format!(
        "Another life of the database answers ({}): offer again what was acknowledged, say so \
         (POST /api/v1/reconciliations/{{epoch}}/reconciled), then ask again.{waits}",
        gate.epoch
    );
    Problem::conflict(RECONCILING, detail)
}

/// Work is given to workers of `taken` versions. (What others have in hand they can still report: that is testimony,
/// and carries no version.)
fn check_contract(version: u32, taken: RangeInclusive<u32>) -> Result<(), Problem> {
    if taken.contains(&version) {
        return Ok(());
    }
    let (oldest, newest) = (taken.start(), taken.end());
    let what = if version < *oldest {
        "The worker is too old: update it, then start it again"
    } else {
        "The server is too old: update every replica first, then start the worker again"
    };
    let taken =
        if oldest == newest { format!("version {newest}") } else { format!("versions {oldest} to {newest}") };
    let detail = format!(
        "The worker speaks version {version} of the contract; this server takes {taken}. {what}. What it \
         has in hand it can still report."
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_given_to_every_version_of_the_range_and_others_are_told_in_words() {
        for version in 2..=4 {
            assert!(check_contract(version, 2..=4).is_ok());
        }
        let told = |version| format!("{:?}", check_contract(version, 2..=4).expect_err("refused"));
        for (version, words) in
            [(1, "The worker is too old"), (5, "The server is too old"), (0, "takes versions 2 to 4")]
        {
            let told = told(version);
            assert!(told.contains(words) && told.contains("can still report"), "{told}");
        }
    }
}
