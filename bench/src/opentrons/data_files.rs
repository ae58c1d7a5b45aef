//! `/dataFiles`: CSV files for run-time parameters, one for each content.

use super::answer::{Problem, data};
use super::robot::Robot;
use super::storage::Kind;
use axum::extract::multipart::Multipart;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DataFile {
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub name: String,
    pub sha256: String,
    pub content: String,
}

impl DataFile {
    fn view(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "createdAt": self.created_at, "source": "uploaded" })
    }
}

pub fn routes() -> Router<Arc<Robot>> {
    Router::new()
        .route("/dataFiles", post(upload).get(list))
        .route("/dataFiles/{id}", get(show).delete(remove))
        .route("/dataFiles/{id}/download", get(download))
}

/// 201 for a new content, 200 with the same id for one that is known under the same name.
async fn upload(
    State(robot): State<Arc<Robot>>,
    mut parts: Multipart,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut uploaded = None;
    while let Some(part) = parts.next_field().await? {
        if part.name() == Some("file") {
            let name = part.file_name().unwrap_or_default().to_owned();
            uploaded = Some((name, part.text().await?));
        }
    }
    let (name, content) = uploaded.ok_or_else(|| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "NoDataFileSourceProvided",
            "No data file source provided",
            "You must provide either a file or a file path in the request.",
        )
    })?;
    let sha256 = hex::encode(Sha256::digest(content.as_bytes()));
    let mut desk = robot.desk();
    if let Some(known) = desk.data_files.iter().find(|file| file.sha256 == sha256 && file.name == name) {
        return Ok((StatusCode::OK, data(known.view())));
    }
    let file = DataFile { id: Uuid::now_v7().to_string(), created_at: Utc::now(), name, sha256, content };
    robot.storage().save(Kind::DataFile, &file.id, &file)?;
    let view = file.view();
    desk.data_files.push(file);
    Ok((StatusCode::CREATED, data(view)))
}

async fn list(State(robot): State<Arc<Robot>>) -> Json<Value> {
    let views: Vec<Value> = robot.desk().data_files.iter().map(DataFile::view).collect();
    Json(json!({ "data": views, "meta": { "cursor": 0, "totalLength": views.len() } }))
}

async fn show(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(data(robot.desk().data_file(&id)?.view()))
}

async fn download(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<String, Problem> {
    Ok(robot.desk().data_file(&id)?.content.clone())
}

async fn remove(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let mut desk = robot.desk();
    desk.data_file(&id)?;
    desk.data_files.retain(|file| file.id != id);
    robot.storage().remove(Kind::DataFile, &id)?;
    Ok(Json(json!({})))
}
