//! The incubator: begins to incubate what stands in a slot. When it is over is the caller's business.
//!
//! `POST /incubations`, `GET /incubations/{id}`, `GET /health`.

use super::answer::{Body, Refusal, operation_error};
use super::operation::{self, Posted, Stop, take_time};
use crate::bench::Bench;
use crate::faults::Counted;
use crate::world::place::INCUBATOR;
use crate::world::{Event, Operation, Place};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Incubation {
    id: String,
    slot: String,
    barcode: String,
    temperature_celsius: f64,
    co2_percent: f64,
    hours: f64,
}

pub fn router(bench: Arc<Bench>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/incubations", post(start))
        .route("/incubations/{id}", get(show))
        .with_state(bench)
}

async fn health() -> Json<Value> {
    Json(json!({ "name": INCUBATOR, "model": "Bench Incubator", "serial": "IN-0001", "api_version": "1.0" }))
}

async fn start(
    State(bench): State<Arc<Bench>>,
    Body(incubation): Body<Incubation>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let settable = (4.0..=50.0).contains(&incubation.temperature_celsius)
        && (0.0..=20.0).contains(&incubation.co2_percent)
        && incubation.hours.is_finite()
        && incubation.hours > 0.0;
    if !settable {
        return Err(Refusal::invalid("out_of_range", "4 to 50 °C, 0 to 20 % CO2, more than 0 hours"));
    }
    let id = incubation.id.clone();
    let posted = Posted { device: INCUBATOR, id: id.clone(), request: json!(incubation) };
    let (status, operation) = operation::perform(bench, posted, move |bench| {
        take_time(bench);
        incubate(bench, incubation)
    })
    .await?;
    Ok((status, Json(view(&id, &operation))))
}

async fn show(State(bench): State<Arc<Bench>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    Ok(Json(view(&id, &operation::find(&bench, INCUBATOR, &id)?)))
}

fn incubate(bench: &Bench, incubation: Incubation) -> Result<(), Stop> {
    let mut world = bench.world();
    let place = Place::new(INCUBATOR, &incubation.slot);
    check_plate(
        world.state().plate_at(&place).map(|plate| plate.barcode.as_str()),
        &place,
        &incubation.barcode,
    )?;
    world.record(Event::Incubated {
        operation: incubation.id,
        barcode: incubation.barcode,
        slot: incubation.slot,
        temperature_celsius: incubation.temperature_celsius,
        co2_percent: incubation.co2_percent,
        hours: incubation.hours,
    })?;
    drop(world);
    bench.faults.happened(Counted::Incubation);
    Ok(())
}

/// Whether `barcode` is what stands in `place`.
pub(super) fn check_plate(there: Option<&str>, place: &Place, barcode: &str) -> Result<(), Stop> {
    match there {
        Some(there) if there == barcode => Ok(()),
        Some(other) => {
            Err(operation_error("other_plate", format!("{place} holds plate {other}, not {barcode}")).into())
        }
        None => Err(operation_error("no_plate", format!("no plate stands in {place}")).into()),
    }
}

fn view(id: &str, operation: &Operation) -> Value {
    json!({
        "id": id,
        "status": operation.status,
        "started_at": operation.started_at,
        "temperature_celsius": operation.request.get("temperature_celsius"),
        "error": operation.error,
    })
}
