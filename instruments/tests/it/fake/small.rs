//! Mover, incubator and reader: operations by an id that the caller chooses.

use super::line::{Line, carry, serve};
use super::{Ending, Fake};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What a reader's file says.
pub const FILE: &str = "# Plate: P-1\nWell,Channel,Value,Unit\nA1,signal,1.5,RFU\n";

pub struct Small {
    url: String,
    line: Line,
    world: Arc<World>,
}

struct World {
    name: &'static str,
    state: Mutex<State_>,
    half_way: Notify,
}

struct State_ {
    /// `None`: work waits half way.
    ending: Option<Ending>,
    /// By id: the request, and how it stands.
    operations: HashMap<String, (Value, Value)>,
    begun: usize,
}

impl Small {
    /// `name`: as in `/health`; `things`: `moves`, `incubations` or `reads`.
    pub async fn start(name: &'static str, things: &'static str) -> Self {
        let state = State_ { ending: Some(Ending::Success), operations: HashMap::new(), begun: 0 };
        let world = Arc::new(World { name, state: Mutex::new(state), half_way: Notify::new() });
        let line = Line::default();
        let router = Router::new()
            .route("/health", get(health))
            .route(&format!("/{things}"), axum::routing::post(ask))
            .route(&format!("/{things}/{{id}}"), get(look))
            .route(&format!("/{things}/{{id}}/file"), get(|| async { FILE }))
            .with_state(world.clone())
            .layer(middleware::from_fn_with_state(line.clone(), carry));
        Self { url: serve(router).await, line, world }
    }
}

type Answer = (StatusCode, Json<Value>);

async fn health(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({"name": world.name, "model": "fake", "serial": "0", "api_version": "1.0"}))
}

async fn ask(State(world): State<Arc<World>>, Json(request): Json<Value>) -> Answer {
    let id = request["id"].as_str().unwrap().to_owned();
    let mut state = world.state.lock().unwrap();
    if let Some((_, operation)) = state.operations.get(&id) {
        return (StatusCode::OK, Json(operation.clone()));
    }
    state.begun += 1;
    let operation = match state.ending {
        Some(ending) => ended(&id, &request, ending),
        None => {
            world.half_way.notify_one();
            json!({"id": id, "status": "running", "error": null})
        }
    };
    state.operations.insert(id, (request, operation.clone()));
    (StatusCode::CREATED, Json(operation))
}

async fn look(State(world): State<Arc<World>>, Path(id): Path<String>) -> Answer {
    match world.state.lock().unwrap().operations.get(&id) {
        Some((_, operation)) => (StatusCode::OK, Json(operation.clone())),
        None => {
            let error = json!({"error": {"code": "unknown_operation", "detail": "never heard of it"}});
            (StatusCode::NOT_FOUND, Json(error))
        }
    }
}

/// Everything that any of the three says.
fn ended(id: &str, request: &Value, ending: Ending) -> Value {
    let all = request["moves"].as_array().cloned().unwrap_or_default();
    let done = if ending == Ending::Success { all.len() } else { all.len().min(1) };
    let arrived: Vec<Value> =
        all.iter().take(done).map(|one| json!({"barcode": one["barcode"], "at": one["to"]})).collect();
    match ending {
        Ending::Success => json!({
            "id": id, "status": "succeeded", "error": null, "arrived": arrived,
            "started_at": "2026-01-05T08:00:00Z", "temperature_celsius": 36.9,
        }),
        Ending::Failure => json!({
            "id": id, "status": "failed", "arrived": arrived,
            "error": {"code": "wrong_plate", "detail": "there stands P-9"},
        }),
    }
}

#[async_trait::async_trait]
impl Fake for Small {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn line(&self) -> &Line {
        &self.line
    }

    fn will_end(&self, ending: Ending) {
        self.world.state.lock().unwrap().ending = Some(ending);
    }

    fn will_wait(&self) {
        self.world.state.lock().unwrap().ending = None;
    }

    async fn half_way(&self) {
        self.world.half_way.notified().await;
    }

    fn go_on(&self, ending: Ending) {
        self.change_running(|id, request| ended(id, request, ending));
    }

    fn lose_power(&self) {
        self.change_running(|id, _| json!({"id": id, "status": "unknown", "error": null}));
    }

    fn times_begun(&self) -> usize {
        self.world.state.lock().unwrap().begun
    }
}

impl Small {
    fn change_running(&self, change: impl Fn(&str, &Value) -> Value) {
        for (id, (request, operation)) in &mut self.world.state.lock().unwrap().operations {
            if operation["status"] == "running" {
                *operation = change(id, request);
            }
        }
    }
}
