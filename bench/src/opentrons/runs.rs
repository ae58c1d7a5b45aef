//! `/runs`: make, look at, give up, delete.

use super::answer::{Data, Problem, data};
use super::parameters::Given;
use super::robot::{Desk, RUNS_KEPT, Robot};
use super::run::{Run, Status};
use super::storage::Kind;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

pub fn routes() -> Router<Arc<Robot>> {
    Router::new()
        .route("/runs", post(create).get(list))
        .route("/runs/{id}", get(show).delete(remove).patch(update))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewRun {
    protocol_id: Option<String>,
    #[serde(default)]
    run_time_parameter_values: BTreeMap<String, Value>,
    #[serde(default)]
    run_time_parameter_files: BTreeMap<String, String>,
}

async fn create(
    State(robot): State<Arc<Robot>>,
    Data(new): Data<NewRun>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut desk = robot.desk();
    if std::mem::take(&mut desk.poisoned) {
        return Err(Problem::unexpected("ProtocolEngine: the previous run could not be loaded."));
    }
    let id = new
        .protocol_id
        .ok_or_else(|| Problem::invalid("this simulated robot runs protocols only: protocolId is missing"))?;
    let declared = desk.protocol(&id)?.declared.clone();
    for file in new.run_time_parameter_files.values() {
        desk.data_file(file)?;
    }
    if let Some(active) = active_run(&desk) {
        let detail = format!("Run {active} is not idle or stopped, so no other run can be created.");
        return Err(Problem::new(StatusCode::CONFLICT, "RunAlreadyActive", "Run Already Active", detail));
    }
    let given = Given { values: new.run_time_parameter_values, files: new.run_time_parameter_files };
    if let Some(unknown) = given.unknown(&declared) {
        desk.poisoned = true;
        return Err(Problem::unexpected(format!(
            "ParameterDefinitionError: parameter {unknown} is not defined by the protocol."
        )));
    }
    replace_idle_run(&robot, &mut desk)?;
    let run = Run {
        id: Uuid::now_v7().to_string(),
        created_at: Utc::now(),
        started_at: None,
        completed_at: None,
        status: Status::Idle,
        protocol_id: id,
        declared,
        given,
        actions: Vec::new(),
        errors: Vec::new(),
        command_errors: Vec::new(),
        commands: Vec::new(),
        labware: Vec::new(),
        pipettes: Vec::new(),
        rules: Vec::new(),
        has_ever_entered_error_recovery: false,
        lost: false,
    };
    robot.storage().save(Kind::Run, &run.id, &run)?;
    let id = run.id.clone();
    desk.current = Some(id.clone());
    desk.runs.push(run);
    forget_oldest(&robot, &mut desk)?;
    Ok((StatusCode::CREATED, data(view(&desk, desk.run(&id)?))))
}

/// The current run, if it has begun and not ended.
pub fn active_run(desk: &Desk) -> Option<String> {
    let current = desk.current.as_ref()?;
    let run = desk.run(current).ok()?;
    (run.status != Status::Idle && !run.status.is_terminal()).then(|| run.id.clone())
}

/// An idle current run is given up without a word.
fn replace_idle_run(robot: &Robot, desk: &mut Desk) -> Result<(), Problem> {
    let Some(current) = desk.current.take() else { return Ok(()) };
    let run = desk.run_mut(&current)?;
    if run.status == Status::Idle {
        run.status = Status::Stopped;
        run.completed_at = Some(Utc::now());
        robot.storage().save(Kind::Run, &run.id, run)?;
    }
    Ok(())
}

fn forget_oldest(robot: &Robot, desk: &mut Desk) -> Result<(), Problem> {
    while desk.runs.len() > RUNS_KEPT {
        let oldest = desk.runs.remove(0);
        robot.storage().remove(Kind::Run, &oldest.id)?;
    }
    Ok(())
}

fn view(desk: &Desk, run: &Run) -> Value {
    let file_name = |id: &str| desk.data_file(id).map(|file| file.name.clone()).unwrap_or_default();
    run.view(desk.is_current(&run.id), file_name)
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "pageLength")]
    page_length: Option<usize>,
}

/// Oldest first; with `pageLength`, the newest of them.
async fn list(State(robot): State<Arc<Robot>>, Query(page): Query<Page>) -> Json<Value> {
    let desk = robot.desk();
    let skipped = desk.runs.len().saturating_sub(page.page_length.unwrap_or(RUNS_KEPT));
    let views: Vec<Value> = desk.runs.iter().skip(skipped).map(|run| view(&desk, run)).collect();
    let links = match &desk.current {
        Some(id) => json!({ "current": { "href": format!("/runs/{id}") } }),
        None => json!({}),
    };
    Json(json!({ "data": views, "links": links, "meta": { "cursor": 0, "totalLength": desk.runs.len() } }))
}

async fn show(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    Ok(data(view(&desk, desk.run(&id)?)))
}

fn refuse_active(desk: &Desk, id: &str) -> Result<(), Problem> {
    if active_run(desk).as_deref() == Some(id) {
        let detail = format!("Run {id} is active; it has to end first.");
        return Err(Problem::new(StatusCode::CONFLICT, "RunNotIdle", "Run is not idle.", detail));
    }
    Ok(())
}

async fn remove(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let mut desk = robot.desk();
    desk.run(&id)?;
    refuse_active(&desk, &id)?;
    if desk.is_current(&id) {
        desk.current = None;
    }
    desk.runs.retain(|run| run.id != id);
    robot.storage().remove(Kind::Run, &id)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Update {
    current: Option<bool>,
}

/// `{"current": false}` gives the run up; nothing else can be changed.
async fn update(
    State(robot): State<Arc<Robot>>,
    Path(id): Path<String>,
    Data(update): Data<Update>,
) -> Result<Json<Value>, Problem> {
    let mut desk = robot.desk();
    desk.run(&id)?;
    if !desk.is_current(&id) {
        return Err(Problem::run_stopped(&id));
    }
    if update.current == Some(false) {
        refuse_active(&desk, &id)?;
        replace_idle_run(&robot, &mut desk)?;
    }
    Ok(data(view(&desk, desk.run(&id)?)))
}
