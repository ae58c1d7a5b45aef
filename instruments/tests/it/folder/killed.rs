//! The agent itself, killed at each of its steps with a folder, and started again.

use super::device::{Device, HANDLER, READER, pause};
use crate::bed::timings;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use instruments::drivers::DriverKind;
use jobs::crash::Moment;
use jobs::wire::Lease;
use jobs::{LeaseToken, crash};
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const AGENT: &str = env!("CARGO_BIN_EXE_loopwright-agent");

/// A server with one job, which it gives out again after a failure.
#[derive(Clone)]
struct Server(Arc<Mutex<World>>);

struct World {
    lease: Lease,
    is_ready: bool,
    outcomes: Vec<String>,
}

impl Server {
    async fn start(lease: Lease) -> (Self, String) {
        let server = Self(Arc::new(Mutex::new(World { lease, is_ready: true, outcomes: Vec::new() })));
        let router = Router::new()
            .route("/api/v1/leases", post(give))
            .route("/api/v1/jobs/{id}/start", post(beat))
            .route("/api/v1/jobs/{id}/heartbeat", post(beat))
            .route("/api/v1/jobs/{id}/report", post(hear))
            .route("/api/v1/blobs/{digest}", put(|| async { StatusCode::CREATED }))
            .route("/healthz", get(|| async { "" }))
            .with_state(server.clone());
        (server, crate::fake::line::serve(router).await)
    }

    fn outcomes(&self) -> Vec<String> {
        self.0.lock().unwrap().outcomes.clone()
    }
}

async fn give(State(server): State<Server>) -> Result<Json<Value>, StatusCode> {
    let leased = {
        let mut world = server.0.lock().unwrap();
        std::mem::take(&mut world.is_ready).then(|| json!(world.lease))
    };
    if let Some(lease) = leased {
        return Ok(Json(lease));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    Err(StatusCode::NO_CONTENT)
}

async fn beat(State(_): State<Server>, Path(_): Path<String>) -> Json<Value> {
    Json(json!({"expires_in_seconds": 60, "stop_requested": false}))
}

async fn hear(State(server): State<Server>, Path(_): Path<String>, Json(report): Json<Value>) -> Json<Value> {
    let mut world = server.0.lock().unwrap();
    assert_eq!(report["lease_token"], json!(world.lease.lease_token), "{report}");
    let ended = report["outcome"]["ended"].as_str().unwrap().to_owned();
    // As the server has it: what may not be repeated and had begun is not tried again by itself.
    if ended == "failed" && world.lease.repeatable {
        world.lease.attempt += 1;
        world.lease.lease_token = LeaseToken::fresh();
        world.is_ready = true;
    }
    world.outcomes.push(ended);
    Json(json!({"disposition": "accepted"}))
}

fn start(device: &Device, url: &str) -> Child {
    let token = device.path("token");
    std::fs::write(&token, "lw_test_token").unwrap();
    let instrument = if device.kind == DriverKind::FolderReader { "reader-1" } else { "handler-1" };
    Command::new(AGENT)
        .env(crash::FOLDER, device.path("armed"))
        .args([
            "--server",
            url,
            "--instrument",
            instrument,
            "--driver",
            device.kind.as_str(),
            "--name",
            "agent",
        ])
        .arg("--token-file")
        .arg(token)
        .arg("--device-file")
        .arg(device.path("device.toml"))
        .arg("--spool")
        .arg(device.path("spool"))
        .stderr(Stdio::from(std::fs::File::create(device.path("log")).unwrap()))
        .spawn()
        .unwrap()
}

/// Every step with folders that the agent itself names.
fn points() -> Vec<(String, Moment)> {
    let listed = Command::new(AGENT).arg("crash-points").output().unwrap().stdout;
    let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
    let mut points = Vec::new();
    for one in listed.iter().filter(|one| one["step"].as_str().unwrap().starts_with("folder.")) {
        for moment in one["moments"].as_array().unwrap() {
            let moment = serde_json::from_value(moment.clone()).unwrap();
            points.push((one["step"].as_str().unwrap().to_owned(), moment));
        }
    }
    points
}

/// Comes back when `claim` holds.
async fn until(what: &str, claim: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if claim() {
            return;
        }
        pause().await;
    }
    panic!("{what}");
}

async fn killed_at(kind: DriverKind, settings: &str, (step, moment): &(String, Moment)) {
    let device = Device::new(kind, settings, timings());
    std::fs::create_dir(device.path("armed")).unwrap();
    let name = format!("agent.{step}.{}", moment.as_str());
    std::fs::write(device.path("armed").join(format!("{name}.armed")), "").unwrap();
    let (server, url) = Server::start(device.lease.clone()).await;
    let mut agent = start(&device, &url);
    let reached = device.path("armed").join(format!("{name}.reached"));
    until(
        &format!("{name} is not reached: {}", std::fs::read_to_string(device.path("log")).unwrap()),
        || reached.exists(),
    )
    .await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    let mut agent = start(&device, &url);
    let is_over = *moment == Moment::Before && kind == DriverKind::FolderHandler;
    if !is_over {
        device.takes().await;
        device.ends();
    }
    // Killed before it was asked: a plate is read at the second try, a worklist is over, and a person has it made again.
    let expected: &[&str] = match (moment, kind) {
        (Moment::Before, DriverKind::FolderReader) => &["failed", "succeeded"],
        (Moment::Before, _) => &["failed"],
        _ => &["succeeded"],
    };
    until("nothing was reported in the end", || server.outcomes().len() >= expected.len()).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(server.outcomes(), expected, "{name}");
    assert_eq!(device.times_taken(), usize::from(!is_over), "{name}");
    assert_eq!(device.requests(), Vec::<String>::new(), "{name}");
}

#[tokio::test]
async fn whenever_the_agent_is_killed_the_device_is_asked_once_at_most() {
    let points = points();
    assert!(points.len() >= 3, "{points:?}");
    for point in &points {
        killed_at(DriverKind::FolderHandler, HANDLER, point).await;
        killed_at(DriverKind::FolderReader, READER, point).await;
    }
}
