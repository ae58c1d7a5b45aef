//! Workers ask whether to stop, and say how they stand; held open until there is something to say.

use super::access::{Access, Caller, Routes};
use super::extract::Json;
use super::leases::{LONGEST_WAIT_SECONDS, WORK};
use super::problem::Problem;
use super::state::AppState;
use crate::store::laboratory;
use crate::store::tokens::Scope;
use ::jobs::wire::{Orders, OrdersRequest};
use axum::extract::State;
use std::time::Duration;
use tokio::time::Instant;
use utoipa_axum::routes;

/// What is seen for all is a second old at most.
const SEEN_ANEW: Duration = Duration::from_millis(200);

pub(super) fn routes() -> Routes {
    Routes::new().route(Access::AnyOf(WORK), routes!(orders))
}

/// Whether the worker is to stop: at once when that differs from what it knows, else after the wait.
///
/// Naming the laboratory's stop in `knows_stop` confirms it.
#[utoipa::path(
    post,
    path = "/orders",
    tag = "work",
    request_body = OrdersRequest,
    responses((status = 200, body = Orders), (status = 422, body = Problem, content_type = "application/problem+json"))
)]
async fn orders(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<OrdersRequest>,
) -> Result<Json<Orders>, Problem> {
    if request.wait_seconds > LONGEST_WAIT_SECONDS {
        let detail = format!("wait_seconds is at most {LONGEST_WAIT_SECONDS}; ask again after that.");
        return Err(Problem::unprocessable("orders.wait_too_long", detail));
    }
    super::leases::works_at(&caller, &request.queue)?;
    if request.instrument.is_some() {
        caller.require(Scope::WorkBench)?;
    }
    let Ok(_place) = state.orders_places.try_acquire() else {
        let detail = "Too many workers wait for orders at this server. Ask again in a moment.";
        return Err(Problem::try_again("orders.too_many_waiting", detail));
    };
    let give_up_at = Instant::now() + Duration::from_secs(request.wait_seconds.into());
    let mut watching = state.orders.watch();
    if let Some(instrument) = &request.instrument {
        state.signs.saw(instrument).await?;
    }
    if request.knows_stop.is_some() {
        laboratory::confirm(&mut *state.pool.acquire().await?, &request, caller.id()).await?;
    }
    loop {
        let waited = tokio::time::timeout_at(give_up_at, watching.news(&request)).await;
        // Who waited to the end has the answer of the last look. Who asks without a wait asks the database.
        if request.wait_seconds > 0 && waited.is_err() && watching.sees_nothing_for(&request) {
            return Ok(Json(Orders::default()));
        }
        let orders = laboratory::orders(&mut *state.pool.acquire().await?, &request).await?;
        if is_news(&orders, &request) || waited.is_err() {
            return Ok(Json(orders));
        }
        // Seen a moment ago, and no longer so.
        tokio::time::sleep_until(give_up_at.min(Instant::now() + SEEN_ANEW)).await;
    }
}

fn is_news(orders: &Orders, request: &OrdersRequest) -> bool {
    let stop_known = request.job.is_none_or(|job| job.stop_known);
    orders.stop.as_ref().map(|stop| stop.id) != request.knows_stop || (orders.stop_job && !stop_known)
}
