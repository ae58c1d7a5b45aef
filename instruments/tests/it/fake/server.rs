//! A server with one job, which it gives out once, and whose authority it takes back when a test says so.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{post, put};
use axum::{Json, Router};
use jobs::client::{Client, Secret, Timeouts};
use jobs::wire::Lease;
use jobs::work::Kind;
use jobs::worker::{Handler, Worker, WorkerConfig};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct Server {
    url: String,
    world: Arc<Mutex<World>>,
}

struct World {
    lease: Option<Lease>,
    /// Whether heartbeats are refused, and whether one was.
    takes: bool,
    has_taken: bool,
    report: Option<Value>,
}

type Shared = State<Arc<Mutex<World>>>;

impl Server {
    pub async fn start(lease: Lease) -> Self {
        let world = World { lease: Some(lease), takes: false, has_taken: false, report: None };
        let world = Arc::new(Mutex::new(world));
        let router = Router::new()
            .route("/api/v1/leases", post(give))
            .route("/api/v1/jobs/{id}/start", post(confirm))
            .route("/api/v1/jobs/{id}/heartbeat", post(beat))
            .route("/api/v1/jobs/{id}/report", post(hear))
            .route("/api/v1/blobs/{digest}", put(|| async { StatusCode::CREATED }))
            .with_state(world.clone());
        Self { url: super::line::serve(router).await, world }
    }

    /// When `first` has come, heartbeats are answered 409; comes back when one was.
    pub async fn takes_the_authority(&self, first: impl Future<Output = ()>) {
        first.await;
        self.world.lock().unwrap().takes = true;
        self.until(|world| world.has_taken.then_some(())).await;
    }

    /// What the worker says in the end.
    pub async fn report(&self) -> Value {
        self.until(|world| world.report.clone()).await
    }

    /// What `claim` comes to, while a worker with this handler is at work.
    pub async fn while_at_work<T>(
        &self,
        handler: Arc<dyn Handler>,
        kind: Kind,
        spool: &std::path::Path,
        claim: impl Future<Output = T>,
    ) -> T {
        let client = Client::new(&self.url, Secret::new("lw_test"), Timeouts::default()).unwrap();
        let config = WorkerConfig::new("agent", kind.queue(), [kind.capability()], spool);
        let shutdown = CancellationToken::new();
        tokio::select! {
            ended = Worker::run(client, config, handler, shutdown) => panic!("{ended:?}"),
            came = claim => came,
        }
    }

    async fn until<T>(&self, claim: impl Fn(&World) -> Option<T>) -> T {
        loop {
            if let Some(came) = claim(&self.world.lock().unwrap()) {
                return came;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn give(State(world): Shared) -> Result<Json<Value>, StatusCode> {
    let lease = world.lock().unwrap().lease.take();
    if let Some(lease) = lease {
        return Ok(Json(json!(lease)));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    Err(StatusCode::NO_CONTENT)
}

async fn confirm(Path(_): Path<String>) -> Json<Value> {
    Json(json!({"expires_in_seconds": 1, "stop_requested": false}))
}

async fn beat(State(world): Shared, Path(_): Path<String>) -> (StatusCode, Json<Value>) {
    let mut world = world.lock().unwrap();
    if world.takes {
        world.has_taken = true;
        let problem = json!({"type": "about:blank", "title": "Lost", "status": 409, "code": "lease.lost", "detail": "Somebody else holds it."});
        return (StatusCode::CONFLICT, Json(problem));
    }
    (StatusCode::OK, Json(json!({"expires_in_seconds": 1, "stop_requested": false})))
}

async fn hear(State(world): Shared, Path(_): Path<String>, Json(report): Json<Value>) -> Json<Value> {
    world.lock().unwrap().report = Some(report);
    Json(json!({"disposition": "kept_as_evidence"}))
}
