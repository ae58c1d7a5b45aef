//! `/clientData/{key}`: notes that clients leave for each other. Advice, no lock; gone with the process.

use super::answer::{Data, Problem, data};
use super::robot::Robot;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::put;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;

pub fn routes() -> Router<Arc<Robot>> {
    Router::new().route("/clientData/{key}", put(set).get(show).delete(remove))
}

async fn set(
    State(robot): State<Arc<Robot>>,
    Path(key): Path<String>,
    Data(note): Data<serde_json::Map<String, Value>>,
) -> Json<Value> {
    let note = Value::Object(note);
    robot.desk().client_data.insert(key, note.clone());
    data(note)
}

async fn show(State(robot): State<Arc<Robot>>, Path(key): Path<String>) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    desk.client_data.get(&key).cloned().map(data).ok_or_else(|| no_such_key(&key))
}

async fn remove(State(robot): State<Arc<Robot>>, Path(key): Path<String>) -> Result<Json<Value>, Problem> {
    robot.desk().client_data.remove(&key).ok_or_else(|| no_such_key(&key))?;
    Ok(Json(json!({})))
}

fn no_such_key(key: &str) -> Problem {
    let detail = format!("No client data is stored under {key}.");
    Problem::new(StatusCode::NOT_FOUND, "ClientDataKeyDoesNotExist", "Client Data Key Does Not Exist", detail)
}
