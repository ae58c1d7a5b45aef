//! What stands in the laboratory: looked at, registered from tables, counted, and carried by people.

mod by_hand;
mod read;

use super::access::{Access, Caller, Routes};
use super::extract::Csv;
use super::once::IdempotencyKey;
use super::problem::Problem;
use super::state::AppState;
use super::write::{Asking, Write};
use crate::campaigns::Problem as FileProblem;
use crate::inventory::{self as stock, ImportError, Imported};
use crate::store::events::{self, NewEvent};
use crate::store::jobs::Consequences;
use crate::store::tokens::Scope;
use ::jobs::Digest;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let write = Access::AnyOf(&[Scope::InventoryWrite]);
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new()
        .route(read, routes!(read::list))
        .route(read, routes!(read::get))
        .route(read, routes!(read::contents))
        .route(read, routes!(read::blanks))
        .route(read, routes!(read::supplies))
        .slow_route(write, routes!(import_library))
        .slow_route(write, routes!(import_assay_plates))
        .slow_route(write, routes!(by_hand::count))
        .route(write, routes!(by_hand::withdraw))
        .route(write, routes!(by_hand::put_back))
        .route(write, routes!(by_hand::found))
}

/// Registers source plates, standing in storage.
///
/// Columns: `barcode,labware,well,content,volume_nl`. All of the table or nothing; plates whose barcode is known are
/// left as they are, so that the same table again changes nothing.
#[utoipa::path(post, path = "/inventory/library", tag = "inventory",
    request_body(content = String, content_type = "text/csv"),
    params(("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = Imported), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem, description = "`inventory.invalid_table`")))]
async fn import_library(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Csv(table): Csv,
) -> Result<Response, Problem> {
    let asked = Digest::of(&table);
    let mut write = match Write::begin(&state, &caller, key, "POST /inventory/library", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let imported = stock::library(write.conn(), &table).await?.map_err(refused)?;
    record(&mut write, "LibraryRegistered", asked, imported).await?;
    write.finish(StatusCode::OK, &imported, &Consequences::default()).await
}

/// Registers blank assay plates, standing in storage.
///
/// Columns: `barcode,labware,context`. All of the table or nothing; plates whose barcode is known are left as they
/// are, so that the same table again changes nothing.
#[utoipa::path(post, path = "/inventory/assay-plates", tag = "inventory",
    request_body(content = String, content_type = "text/csv"),
    params(("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = Imported), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem, description = "`inventory.invalid_table`")))]
async fn import_assay_plates(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Csv(table): Csv,
) -> Result<Response, Problem> {
    let asked = Digest::of(&table);
    let mut write = match Write::begin(&state, &caller, key, "POST /inventory/assay-plates", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let imported = stock::assay_plates(write.conn(), &table).await?.map_err(refused)?;
    record(&mut write, "AssayPlatesRegistered", asked, imported).await?;
    write.finish(StatusCode::OK, &imported, &Consequences::default()).await
}

/// Who brought what, when the table brought something.
async fn record(
    write: &mut Write,
    kind: &'static str,
    table: Digest,
    imported: Imported,
) -> Result<(), Problem> {
    if imported.plates == 0 {
        return Ok(());
    }
    let event = NewEvent {
        kind,
        subject: "inventory",
        subject_id: table.to_string(),
        campaign_id: None,
        actor: write.actor(),
        body: json!(imported),
    };
    events::append(write.conn(), &event).await?;
    Ok(())
}

fn refused(error: ImportError) -> Problem {
    let place = FileProblem {
        path: String::new(),
        line: u32::try_from(error.line).unwrap_or(u32::MAX),
        column: 1,
        reason: error.reason.clone(),
    };
    Problem::unprocessable(ImportError::CODE, format!("{error}. Nothing of the table was taken."))
        .with_errors(vec![place])
}
