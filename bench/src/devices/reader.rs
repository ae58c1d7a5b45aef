//! The plate reader: looks at every well of the plate that stands in it, and writes a file.
//!
//! `POST /reads`, `GET /reads/{id}`, `GET /reads/{id}/file`, `GET /health`. Channels: `signal` (RFU),
//! `viability` (RLU) and `call` (0 or 1), or those of an [assay](crate::assay).

use super::answer::{Body, Refusal, operation_error};
use super::incubator::check_plate;
use super::operation::{self, Posted, Stop, take_time};
use crate::assay::Channel;
use crate::bench::Bench;
use crate::faults::Counted;
use crate::specimen::reading::Reading;
use crate::world::log::replace_file;
use crate::world::place::READER;
use crate::world::{Event, Operation, OperationStatus, Place};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use instruments::labware::Well;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Read {
    id: String,
    slot: String,
    barcode: String,
    channels: Vec<String>,
}

pub fn router(bench: Arc<Bench>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/reads", post(start))
        .route("/reads/{id}", get(show))
        .route("/reads/{id}/file", get(file))
        .with_state(bench)
}

async fn health(State(bench): State<Arc<Bench>>) -> Json<Value> {
    Json(json!({
        "name": READER, "model": "Bench Reader", "serial": "RD-0001", "api_version": "1.0",
        "channels": names(&bench.laws.channels()),
    }))
}

fn names(channels: &[Channel]) -> Vec<String> {
    channels.iter().map(|channel| channel.name.clone()).collect()
}

async fn start(
    State(bench): State<Arc<Bench>>,
    Body(read): Body<Read>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let known = names(&bench.laws.channels());
    if read.channels.is_empty() {
        return Err(Refusal::invalid("no_channel", format!("name at least one of {}", known.join(", "))));
    }
    if let Some(unknown) = read.channels.iter().find(|channel| !known.contains(channel)) {
        let message = format!("no channel {unknown}; there are {}", known.join(", "));
        return Err(Refusal::invalid("unknown_channel", message));
    }
    let id = read.id.clone();
    let posted = Posted { device: READER, id: id.clone(), request: json!(read) };
    let (status, operation) = operation::perform(bench, posted, move |bench| {
        take_time(bench);
        look(bench, read)
    })
    .await?;
    Ok((status, Json(view(&id, &operation))))
}

async fn show(State(bench): State<Arc<Bench>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    Ok(Json(view(&id, &operation::find(&bench, READER, &id)?)))
}

async fn file(State(bench): State<Arc<Bench>>, Path(id): Path<String>) -> Result<impl IntoResponse, Refusal> {
    let status = operation::find(&bench, READER, &id)?.status;
    if status != OperationStatus::Succeeded {
        return Err(Refusal::conflict("no_file", format!("read {id} has not succeeded")));
    }
    let path = file_path(&bench, &id);
    let bytes = operation::blocking(move || std::fs::read(path))
        .await?
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "file_lost", error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/csv")], bytes))
}

fn look(bench: &Bench, read: Read) -> Result<(), Stop> {
    let mut world = bench.world();
    let place = Place::new(READER, &read.slot);
    let plate = world.state().plate_at(&place);
    check_plate(plate.map(|plate| plate.barcode.as_str()), &place, &read.barcode)?;
    let readings = plate.map(|plate| bench.observer().read(plate, &read.id)).unwrap_or_default();
    let text = plate_csv(&read, &readings, &bench.laws.channels());
    // The file first: an event that names it must find it.
    replace_file(&file_path(bench, &read.id), text.as_bytes())
        .map_err(|error| operation_error("disk", format!("the reader cannot write its file: {error}")))?;
    world.record(Event::PlateRead {
        operation: read.id,
        barcode: read.barcode,
        slot: read.slot,
        channels: read.channels,
        sha256: hex::encode(Sha256::digest(text.as_bytes())),
    })?;
    drop(world);
    bench.faults.happened(Counted::Read);
    Ok(())
}

fn plate_csv(read: &Read, readings: &[(Well, Reading)], known: &[Channel]) -> String {
    let mut text = format!(
        "# Plate: {}\n# Instrument: {READER}\n# Read: {}\nWell,Channel,Value,Unit\n",
        read.barcode, read.id
    );
    let asked: Vec<&Channel> =
        read.channels.iter().filter_map(|name| known.iter().find(|channel| channel.name == *name)).collect();
    for (well, reading) in readings {
        for channel in &asked {
            let (value, unit) = reading.shown(channel);
            let name = quoted(&channel.name);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{well},{name},{value},{unit}");
        }
    }
    text
}

/// A CSV field.
fn quoted(name: &str) -> String {
    if name.contains(['"', ',']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

/// By the hash of the id: an id is no file name.
fn file_path(bench: &Bench, id: &str) -> PathBuf {
    bench.settings.dir.join("reads").join(format!("{}.csv", hex::encode(Sha256::digest(id.as_bytes()))))
}

fn view(id: &str, operation: &Operation) -> Value {
    json!({ "id": id, "status": operation.status, "error": operation.error })
}
