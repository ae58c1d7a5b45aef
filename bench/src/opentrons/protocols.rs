//! `/protocols`: upload, look up, analyse.

use super::analysis::Analysis;
use super::answer::{Data, Problem, data};
use super::parameters::{Declared, Given, declared_in, robot_type};
use super::robot::{Desk, Robot};
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
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Analyses kept of one protocol; the oldest go on their own.
const ANALYSES_KEPT: usize = 5;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Protocol {
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub key: Option<String>,
    /// SHA-256 of the files' names and contents.
    pub fingerprint: String,
    pub files: Vec<UploadedFile>,
    pub declared: Vec<Declared>,
    pub analyses: Vec<Analysis>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UploadedFile {
    pub name: String,
    pub content: String,
}

pub fn routes() -> Router<Arc<Robot>> {
    Router::new()
        .route("/protocols", post(upload).get(list))
        .route("/protocols/{id}", get(show).delete(remove))
        .route("/protocols/{id}/analyses", get(analyses).post(analyse))
        .route("/protocols/{id}/analyses/{analysis}", get(analysis))
}

impl Protocol {
    /// Load names of the labware definitions that came along.
    pub fn labware_definitions(&self) -> Vec<String> {
        let load_name = |file: &UploadedFile| {
            let definition: Value = serde_json::from_str(&file.content).ok()?;
            definition.get("parameters")?.get("loadName")?.as_str().map(str::to_owned)
        };
        self.files.iter().filter(|file| file.name.ends_with(".json")).filter_map(load_name).collect()
    }

    fn view(&self, now: DateTime<Utc>) -> Value {
        let role = |file: &UploadedFile| if file.name.ends_with(".py") { "main" } else { "labware" };
        let files: Vec<Value> =
            self.files.iter().map(|file| json!({ "name": file.name, "role": role(file) })).collect();
        let summaries: Vec<Value> = self.analyses.iter().map(|analysis| analysis.summary(now)).collect();
        json!({
            "id": self.id,
            "createdAt": self.created_at,
            "files": files,
            "protocolType": "python",
            "protocolKind": "standard",
            "robotType": "OT-2 Standard",
            "metadata": {},
            "analyses": [],
            "analysisSummaries": summaries,
            "key": self.key,
        })
    }
}

#[derive(Default)]
struct Upload {
    files: Vec<UploadedFile>,
    given: Given,
    key: Option<String>,
}

async fn upload(
    State(robot): State<Arc<Robot>>,
    mut parts: Multipart,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut upload = Upload::default();
    while let Some(part) = parts.next_field().await? {
        let (name, file_name) =
            (part.name().unwrap_or_default().to_owned(), part.file_name().map(str::to_owned));
        let text = part.text().await?;
        match name.as_str() {
            "files" => upload.files.push(UploadedFile { name: file_name.unwrap_or_default(), content: text }),
            "key" => upload.key = Some(text),
            "runTimeParameterValues" => upload.given.values = from_form(&text)?,
            "runTimeParameterFiles" => upload.given.files = from_form(&text)?,
            _ => {}
        }
    }
    let declared = check_files(&upload.files)?;
    let mut desk = robot.desk();
    let now = Utc::now();
    let fingerprint = fingerprint(&upload.files);
    let known = desk
        .protocols
        .iter()
        .find(|protocol| protocol.fingerprint == fingerprint)
        .map(|known| known.id.clone());
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let id = known.unwrap_or_else(|| {
        let id = Uuid::now_v7().to_string();
        desk.protocols.push(Protocol {
            id: id.clone(),
            created_at: now,
            key: upload.key,
            fingerprint,
            files: upload.files,
            declared,
            analyses: Vec::new(),
        });
        id
    });
    ensure_analysis(&mut desk, &id, upload.given, false)?;
    let protocol = desk.protocol(&id)?;
    robot.storage().save(Kind::Protocol, &id, protocol)?;
    Ok((status, data(protocol.view(now))))
}

fn from_form<T: serde::de::DeserializeOwned>(text: &str) -> Result<BTreeMap<String, T>, Problem> {
    serde_json::from_str(text).map_err(|error| Problem::invalid(error.to_string()))
}

/// The declared parameters of the protocol in `files`.
fn check_files(files: &[UploadedFile]) -> Result<Vec<Declared>, Problem> {
    let invalid = |detail: &str| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "ProtocolFilesInvalid",
            "Protocol File(s) Invalid",
            detail,
        )
    };
    let main = files
        .iter()
        .find(|file| file.name.ends_with(".py"))
        .ok_or_else(|| invalid("No main protocol file: a Python file is needed."))?;
    if !main.content.contains("def run(") {
        return Err(invalid("No function 'run(protocol)' is defined."));
    }
    if robot_type(&main.content).is_some_and(|robot| robot != "OT-2") {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "ProtocolRobotTypeMismatch",
            "Protocol For Different Robot Type",
            "This protocol is for another robot type; this robot is an OT-2.",
        ));
    }
    Ok(declared_in(&main.content))
}

fn fingerprint(files: &[UploadedFile]) -> String {
    let mut parts: Vec<String> = files
        .iter()
        .map(|file| format!("{}:{}", file.name, hex::encode(Sha256::digest(file.content.as_bytes()))))
        .collect();
    parts.sort();
    hex::encode(Sha256::digest(parts.join("\n").as_bytes()))
}

/// Queues an analysis, unless the last one was of the same parameters (and none is forced).
fn ensure_analysis(desk: &mut Desk, id: &str, given: Given, forced: bool) -> Result<(), Problem> {
    let protocol = desk.protocol(id)?;
    if forced || protocol.analyses.last().is_none_or(|last| last.given != given) {
        let analysis = Analysis::of(protocol, given, &desk.data_files, Utc::now());
        let analyses = &mut desk.protocol_mut(id)?.analyses;
        analyses.push(analysis);
        let outdated = analyses.len().saturating_sub(ANALYSES_KEPT);
        analyses.drain(..outdated);
    }
    Ok(())
}

async fn list(State(robot): State<Arc<Robot>>) -> Json<Value> {
    let desk = robot.desk();
    let now = Utc::now();
    let views: Vec<Value> = desk.protocols.iter().map(|protocol| protocol.view(now)).collect();
    Json(json!({ "data": views, "meta": { "cursor": 0, "totalLength": views.len() } }))
}

async fn show(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(data(robot.desk().protocol(&id)?.view(Utc::now())))
}

async fn remove(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let mut desk = robot.desk();
    desk.protocol(&id)?;
    if desk.runs.iter().any(|run| run.protocol_id == id) {
        let detail = format!("Protocol {id} is used by a run and could not be deleted.");
        return Err(Problem::new(StatusCode::CONFLICT, "ProtocolUsedByRun", "Protocol Used by Run", detail));
    }
    desk.protocols.retain(|protocol| protocol.id != id);
    robot.storage().remove(Kind::Protocol, &id)?;
    Ok(Json(json!({})))
}

async fn analyses(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    let protocol = desk.protocol(&id)?;
    let now = Utc::now();
    let views: Vec<Value> =
        protocol.analyses.iter().map(|one| one.view(protocol, &desk.data_files, now)).collect();
    Ok(Json(json!({ "data": views, "meta": { "cursor": 0, "totalLength": views.len() } })))
}

async fn analysis(
    State(robot): State<Arc<Robot>>,
    Path((id, analysis)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let desk = robot.desk();
    let protocol = desk.protocol(&id)?;
    let found = protocol.analyses.iter().find(|one| one.id == analysis).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "AnalysisNotFound",
            "Protocol Analysis Not Found",
            format!("Analysis {analysis} not found."),
        )
    })?;
    Ok(data(found.view(protocol, &desk.data_files, Utc::now())))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    run_time_parameter_values: BTreeMap<String, Value>,
    run_time_parameter_files: BTreeMap<String, String>,
    force_re_analyze: bool,
}

async fn analyse(
    State(robot): State<Arc<Robot>>,
    Path(id): Path<String>,
    Data(wanted): Data<Wanted>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut desk = robot.desk();
    let last = |protocol: &Protocol| protocol.analyses.last().map(|analysis| analysis.id.clone());
    let before = last(desk.protocol(&id)?);
    let given = Given { values: wanted.run_time_parameter_values, files: wanted.run_time_parameter_files };
    ensure_analysis(&mut desk, &id, given, wanted.force_re_analyze)?;
    let protocol = desk.protocol(&id)?;
    robot.storage().save(Kind::Protocol, &id, protocol)?;
    let status = if last(protocol) != before { StatusCode::CREATED } else { StatusCode::OK };
    let now = Utc::now();
    let summaries: Vec<Value> = protocol.analyses.iter().map(|one| one.summary(now)).collect();
    Ok((status, Json(json!({ "data": summaries, "meta": { "cursor": 0, "totalLength": summaries.len() } }))))
}
