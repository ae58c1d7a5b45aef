//! The liquid handler: the subset of the Opentrons HTTP API that a driver of liquid transfers needs,
//! with the habits that a driver has to live with (robot-server 8.1.0).
//!
//! It runs no Python. It knows a protocol by its declared CSV run-time parameter `picklist`, and carries
//! the rows out one by one on whatever really stands in the slots. It checks a picklist as the vetted
//! protocol does (columns, volumes, wells, tips): a bad one gives an analysis that is `not-ok`, and runs
//! nonetheless until it fails, as on the vendor's server.
//!
//! What it feels: with liquid sensing (default), a source without enough liquid above its dead volume,
//! or no plate at all, is error 2017 (`liquidNotFound`), and the volumes it reports are those that
//! moved. Without, it draws air and reports what it was told. It never notices a missing destination
//! plate: the liquid is spilt. Other labware than the picklist says is a collision (2003).
//!
//! | file | serves |
//! |---|---|
//! | [`protocols`] | `/protocols`, analyses |
//! | [`data_files`] | `/dataFiles` |
//! | [`runs`], [`actions`], [`commands`], [`policy`] | `/runs` and below |
//! | [`maintenance`] | `/maintenance_runs` |
//! | [`client_data`] | `/clientData/{key}` |

pub mod actions;
pub mod analysis;
pub mod answer;
pub mod client_data;
pub mod commands;
pub mod data_files;
pub mod executor;
pub mod failure;
pub mod maintenance;
pub mod parameters;
pub mod picklist;
pub mod policy;
pub mod protocols;
pub mod robot;
pub mod run;
pub mod runs;
pub mod storage;
pub mod version;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::get;
use axum::{Json, Router, middleware};
use robot::Robot;
use serde_json::{Value, json};
use std::sync::Arc;

/// Protocols with labware definitions, and picklists of a few thousand rows.
const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

pub fn router(robot: Arc<Robot>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/robot/door/status", get(door))
        .merge(protocols::routes())
        .merge(data_files::routes())
        .merge(runs::routes())
        .merge(actions::routes())
        .merge(commands::routes())
        .merge(policy::routes())
        .merge(maintenance::routes())
        .merge(client_data::routes())
        .fallback(answer::no_such_route)
        .layer(middleware::from_fn(version::check))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .with_state(robot)
}

async fn health(State(robot): State<Arc<Robot>>) -> Json<Value> {
    Json(json!({
        "name": crate::world::place::HANDLER,
        "robot_model": "OT-2 Standard",
        "api_version": "8.1.0",
        "fw_version": "v1.1.0-25e5cea",
        "board_revision": "2.1",
        "logs": ["/logs/serial.log", "/logs/api.log", "/logs/server.log"],
        "system_version": "v1.19.6",
        "maximum_protocol_api_version": [2, 21],
        "minimum_protocol_api_version": [2, 0],
        "robot_serial": format!("OT2BENCH{:08}", robot.bench().laws.seed),
        "links": { "apiLog": "/logs/api.log", "serialLog": "/logs/serial.log", "apiSpec": "/openapi.json" },
    }))
}

/// Nobody opens it.
async fn door() -> Json<Value> {
    answer::data(json!({ "status": "closed", "doorRequiredClosedForProtocol": false }))
}
