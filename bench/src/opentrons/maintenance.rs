//! `/maintenance_runs`: somebody calibrates the robot, or attaches a pipette. One at a time, and none beside a run that is
//! active; playing a run ends it without a word.

use super::answer::{Problem, data};
use super::robot::Robot;
use super::runs::active_run;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub fn routes() -> Router<Arc<Robot>> {
    Router::new()
        .route("/maintenance_runs", post(create))
        .route("/maintenance_runs/current_run", get(current))
        .route("/maintenance_runs/{id}", get(show).delete(remove))
}

async fn create(State(robot): State<Arc<Robot>>) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut desk = robot.desk();
    if let Some(active) = active_run(&desk) {
        let detail = format!("Run {active} is active, so no maintenance run can be created.");
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "ProtocolRunIsActive",
            "Protocol Run Is Active",
            detail,
        ));
    }
    let id = Uuid::now_v7().to_string();
    desk.maintenance = Some(id.clone());
    Ok((StatusCode::CREATED, data(view(&id))))
}

async fn current(State(robot): State<Arc<Robot>>) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    desk.maintenance.as_deref().map(|id| data(view(id))).ok_or_else(|| {
        let title = "No current run found";
        Problem::new(StatusCode::NOT_FOUND, "NoCurrentRunFound", title, "No maintenance run is current.")
    })
}

async fn show(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    let known = desk.maintenance.as_ref().filter(|current| **current == id);
    known.map(|id| data(view(id))).ok_or_else(|| Problem::run_not_found(&id))
}

async fn remove(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let mut desk = robot.desk();
    match desk.maintenance.take_if(|current| *current == id) {
        Some(_) => Ok(Json(json!({}))),
        None => Err(Problem::run_not_found(&id)),
    }
}

fn view(id: &str) -> Value {
    json!({ "id": id, "status": "idle", "current": true, "actions": [], "errors": [], "labware": [] })
}
