//! The mover: brings plates from place to place, and reads the barcode of each before it lifts it.
//!
//! `POST /moves`, `GET /moves/{id}`, `GET /health`.

use super::answer::{Body, Refusal, operation_error};
use super::operation::{self, Posted, Stop, take_time};
use crate::bench::Bench;
use crate::faults::Counted;
use crate::world::place::{HANDLER, MOVER};
use crate::world::{Event, Operation, Place};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Moves {
    id: String,
    moves: Vec<PlateMove>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PlateMove {
    barcode: String,
    labware: String,
    from: Place,
    to: Place,
}

pub fn router(bench: Arc<Bench>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/moves", post(start))
        .route("/moves/{id}", get(show))
        .with_state(bench)
}

async fn health() -> Json<Value> {
    Json(json!({ "name": MOVER, "model": "Bench Mover", "serial": "MV-0001", "api_version": "1.0" }))
}

async fn start(
    State(bench): State<Arc<Bench>>,
    Body(moves): Body<Moves>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let posted = Posted { device: MOVER, id: moves.id.clone(), request: json!(moves) };
    let id = moves.id.clone();
    let (status, operation) = operation::perform(bench, posted, move |bench| {
        moves.moves.iter().try_for_each(|one| {
            take_time(bench);
            carry(bench, &moves.id, one)
        })
    })
    .await?;
    Ok((status, Json(view(&id, &operation))))
}

async fn show(State(bench): State<Arc<Bench>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    Ok(Json(view(&id, &operation::find(&bench, MOVER, &id)?)))
}

fn carry(bench: &Bench, operation: &str, one: &PlateMove) -> Result<(), Stop> {
    let mut world = bench.world();
    let state = world.state();
    let on_deck = one.from.device == HANDLER || one.to.device == HANDLER;
    if on_deck && bench.handler_busy.load(Ordering::SeqCst) {
        return Err(operation_error(
            "device_busy",
            "the liquid handler is running: its deck may not be touched",
        )
        .into());
    }
    match state.plate_at(&one.from) {
        None => return Err(operation_error("no_plate", format!("no plate stands in {}", one.from)).into()),
        Some(other) if other.barcode != one.barcode => {
            let detail = format!("{} holds plate {}, not {}", one.from, other.barcode, one.barcode);
            return Err(operation_error("other_plate", detail).into());
        }
        Some(plate) if plate.labware.load_name != one.labware => {
            let detail =
                format!("plate {} is a {}, not a {}", one.barcode, plate.labware.load_name, one.labware);
            return Err(operation_error("other_labware", detail).into());
        }
        Some(_) => {}
    }
    if let Some(other) = state.plate_at(&one.to) {
        return Err(operation_error("occupied", format!("{} holds plate {}", one.to, other.barcode)).into());
    }
    if !one.to.takes(&one.barcode) {
        return Err(operation_error(
            "no_such_place",
            format!("{} is no place for plate {}", one.to, one.barcode),
        )
        .into());
    }
    world.record(Event::PlateMoved {
        operation: operation.to_owned(),
        barcode: one.barcode.clone(),
        from: one.from.clone(),
        to: one.to.clone(),
    })?;
    drop(world);
    bench.faults.happened(Counted::Move);
    Ok(())
}

fn view(id: &str, operation: &Operation) -> Value {
    let arrived: Vec<Value> =
        operation.arrived.iter().map(|(barcode, at)| json!({ "barcode": barcode, "at": at })).collect();
    json!({ "id": id, "status": operation.status, "arrived": arrived, "error": operation.error })
}
