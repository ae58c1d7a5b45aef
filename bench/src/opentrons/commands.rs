//! What a run has done so far: `/runs/{id}/commands`, `/runs/{id}/commandErrors`.
//!
//! Without `cursor` the window starts at the current command (at the failed one after a failure, at the
//! last page otherwise), so that history is missed. A cursor beyond the end is pulled back to the last
//! command: read where the window really starts from `meta.cursor`.

use super::answer::{Problem, data};
use super::robot::{Desk, Robot};
use super::run::{Command, CommandStatus, Run, Status};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const PAGE: usize = 20;

pub fn routes() -> Router<Arc<Robot>> {
    Router::new()
        .route("/runs/{id}/commands", get(list))
        .route("/runs/{id}/commands/{command}", get(show))
        .route("/runs/{id}/commandsAsPreSerializedList", get(whole))
        .route("/runs/{id}/commandErrors", get(errors))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    cursor: Option<usize>,
    page_length: Option<usize>,
}

async fn list(
    State(robot): State<Arc<Robot>>,
    Path(id): Path<String>,
    Query(window): Query<Window>,
) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    let run = desk.run(&id)?;
    let length = window.page_length.unwrap_or(PAGE);
    let cursor =
        window.cursor.unwrap_or_else(|| near_current(run, length)).min(run.commands.len().saturating_sub(1));
    let commands: Vec<Value> = run.commands.iter().skip(cursor).take(length).map(Command::summary).collect();
    Ok(Json(json!({
        "data": commands,
        "links": links(run),
        "meta": { "cursor": cursor, "totalLength": run.commands.len() },
    })))
}

fn near_current(run: &Run, length: usize) -> usize {
    let running = run.commands.iter().rposition(|command| command.status == CommandStatus::Running);
    let failed = || {
        let last = run.commands.iter().rposition(|command| command.status == CommandStatus::Failed);
        last.filter(|_| run.status == Status::Failed)
    };
    running.or_else(failed).unwrap_or_else(|| run.commands.len().saturating_sub(length))
}

/// Where the run is: its running command, else the last one.
fn links(run: &Run) -> Value {
    match run.commands.iter().enumerate().next_back() {
        None => json!({}),
        Some((index, command)) => json!({ "current": {
            "href": format!("/runs/{}/commands/{}", run.id, command.id),
            "meta": {
                "runId": run.id, "commandId": command.id, "index": index,
                "key": command.key, "createdAt": command.created_at,
            },
        }}),
    }
}

async fn show(
    State(robot): State<Arc<Robot>>,
    Path((id, command)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    let found = desk.run(&id)?.commands.iter().find(|one| one.id == command).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "CommandNotFound",
            "Run Command Not Found",
            format!("Command {command} does not exist."),
        )
    })?;
    Ok(data(found.full()))
}

/// Every command of an ended run with its result, each as a string of JSON.
async fn whole(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    let run = desk.run(&id)?;
    if !run.status.is_terminal() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "PreSerializedCommandsNotAvailable",
            "Pre-Serialized commands not available.",
            "Pre-serialized commands are only available once a run has finished running.",
        ));
    }
    let commands: Vec<String> = run.commands.iter().map(|command| command.full().to_string()).collect();
    Ok(Json(json!({ "data": commands, "meta": { "cursor": 0, "totalLength": commands.len() } })))
}

async fn errors(
    State(robot): State<Arc<Robot>>,
    Path(id): Path<String>,
    Query(window): Query<Window>,
) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    Ok(Json(error_page(&desk, &id, &window)?))
}

fn error_page(desk: &Desk, id: &str, window: &Window) -> Result<Value, Problem> {
    let errors = &desk.run(id)?.command_errors;
    let length = window.page_length.unwrap_or(PAGE);
    let cursor = window
        .cursor
        .unwrap_or_else(|| errors.len().saturating_sub(length))
        .min(errors.len().saturating_sub(1));
    let page: Vec<_> = errors.iter().skip(cursor).take(length).collect();
    Ok(json!({ "data": page, "meta": { "cursor": cursor, "totalLength": errors.len() } }))
}
