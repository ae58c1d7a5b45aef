//! What people did to the stock: counted it, took a plate out, put it back, found it.

use super::read::{StockPlateShown, shown};
use super::refused;
use crate::api::access::Caller;
use crate::api::extract::{Csv, Json, Path, Query};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write, given};
use crate::ids::ActorId;
use crate::inventory::{self as stock, Counted, Refused};
use crate::store::jobs::Consequences;
use ::jobs::Digest;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StockOrder {
    reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// It goes into the record.
    reason: String,
}

/// Sets what the books say of source wells to what was found: counted, weighed, refilled.
///
/// Columns: `barcode,well,volume_nl`, and `content` where a well is new or somebody wants to be sure. All of the table
/// or nothing. The plates stand in storage; no well is set below what plates under way will draw.
#[utoipa::path(post, path = "/inventory/volumes", tag = "inventory",
    request_body(content = String, content_type = "text/csv"),
    params(Why, ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = Counted), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem, description = "`inventory.invalid_table`, `request.reason_missing`")))]
pub(super) async fn count(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Query(why): Query<Why>,
    Csv(table): Csv,
) -> Result<Response, Problem> {
    let reason = given(&why.reason)?;
    let asked = (Digest::of(&table), reason);
    let mut write = match Write::begin(&state, &caller, key, "POST /inventory/volumes", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let actor = write.actor();
    let counted: Counted = stock::count(write.conn(), &table, reason, actor).await?.map_err(refused)?;
    write.finish(StatusCode::OK, &counted, &Consequences::default()).await
}

/// Takes a plate out of the laboratory: empty, contaminated, lost. Nothing is planned with it.
///
/// Only one of which nothing is reserved. What was drawn from it stays known.
#[utoipa::path(post, path = "/inventory/plates/{barcode}/withdraw", tag = "inventory", request_body = StockOrder,
    params(("barcode" = String, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = StockPlateShown), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`inventory.reserved`, `inventory.not_in_state`"),
        (status = 422, body = Problem)))]
pub(super) async fn withdraw(
    state: State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(barcode): Path<String>,
    Json(request): Json<StockOrder>,
) -> Result<Response, Problem> {
    carry_out(state, caller, key, Order::Withdraw, &barcode, &request).await
}

/// Brings a withdrawn plate back, into its place in storage.
#[utoipa::path(post, path = "/inventory/plates/{barcode}/put-back", tag = "inventory", request_body = StockOrder,
    params(("barcode" = String, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = StockPlateShown), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`inventory.not_in_state`"), (status = 422, body = Problem)))]
pub(super) async fn put_back(
    state: State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(barcode): Path<String>,
    Json(request): Json<StockOrder>,
) -> Result<Response, Problem> {
    carry_out(state, caller, key, Order::PutBack, &barcode, &request).await
}

/// Says that a plate stands in its place in storage: somebody found it, or carried it there.
///
/// Not while a job carries it: a job knows where it takes its plates from.
#[utoipa::path(post, path = "/inventory/plates/{barcode}/found", tag = "inventory", request_body = StockOrder,
    params(("barcode" = String, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = StockPlateShown), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`inventory.plate_busy`, `inventory.not_in_state`"),
        (status = 422, body = Problem)))]
pub(super) async fn found(
    state: State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(barcode): Path<String>,
    Json(request): Json<StockOrder>,
) -> Result<Response, Problem> {
    carry_out(state, caller, key, Order::Found, &barcode, &request).await
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Withdraw,
    PutBack,
    Found,
}

impl Order {
    fn route(self) -> &'static str {
        match self {
            Order::Withdraw => "POST /inventory/plates/{barcode}/withdraw",
            Order::PutBack => "POST /inventory/plates/{barcode}/put-back",
            Order::Found => "POST /inventory/plates/{barcode}/found",
        }
    }

    async fn apply(
        self,
        conn: &mut sqlx::PgConnection,
        barcode: &str,
        reason: &str,
        actor: ActorId,
    ) -> crate::store::Result<Result<(), Refused>> {
        match self {
            Order::Withdraw => stock::withdraw(conn, barcode, reason, actor).await,
            Order::PutBack => stock::put_back(conn, barcode, reason, actor).await,
            Order::Found => stock::found(conn, barcode, reason, actor).await,
        }
    }
}

async fn carry_out(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    order: Order,
    barcode: &str,
    request: &StockOrder,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let mut write = match Write::begin(&state, &caller, key, order.route(), &(barcode, request)).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let actor = write.actor();
    match order.apply(write.conn(), barcode, reason, actor).await? {
        Ok(()) => {}
        Err(Refused::NotFound { .. }) => return Err(Problem::not_found("plate of the stock", barcode)),
        Err(refused) => return Err(Problem::conflict(refused.code(), refused.to_string())),
    }
    let plate = shown(write.conn(), barcode, &caller).await?;
    write.finish(StatusCode::OK, &plate, &Consequences::default()).await
}
