//! `POST /runs/{id}/actions`: play, pause, stop, resume from recovery.

use super::answer::{Data, Problem, data};
use super::executor;
use super::robot::Robot;
use super::run::{self, Action, Status, Step};
use super::storage::Kind;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use uuid::Uuid;

pub fn routes() -> Router<Arc<Robot>> {
    Router::new().route("/runs/{id}/actions", post(act))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    action_type: Action,
}

async fn act(
    State(robot): State<Arc<Robot>>,
    Path(id): Path<String>,
    Data(wanted): Data<Wanted>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut desk = robot.desk();
    let is_current = desk.is_current(&id);
    desk.run(&id)?;
    if !is_current {
        return Err(Problem::run_stopped(&id));
    }
    if wanted.action_type == Action::Play {
        // Whether or not the play is allowed then.
        desk.maintenance = None;
    }
    let run = desk.run_mut(&id)?;
    let step = run::next(run.status, wanted.action_type).map_err(|refused| {
        Problem::new(
            StatusCode::CONFLICT,
            "RunActionNotAllowed",
            "Run Action Not Allowed",
            refused.to_string(),
        )
    })?;
    let now = Utc::now();
    let action =
        json!({ "id": Uuid::now_v7().to_string(), "createdAt": now, "actionType": wanted.action_type });
    run.actions.push(action.clone());
    match step {
        Step::Nothing => {}
        Step::To(status) => {
            run.status = status;
            if status == Status::Stopped {
                run.completed_at = Some(now);
                robot.storage().save(Kind::Run, &id, run)?;
            }
        }
        Step::Begin => {
            run.status = Status::Running;
            run.started_at = Some(now);
            robot.bench().handler_busy.store(true, Ordering::SeqCst);
            executor::start(robot.clone(), id);
        }
    }
    drop(desk);
    robot.wake();
    Ok((StatusCode::CREATED, data(action)))
}
