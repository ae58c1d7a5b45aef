//! Real workers over HTTP, with leases of an hour: no heartbeat comes in time, only orders do.

use crate::support::App;
use crate::work;
use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use jobs::client::{Client, Secret, Timeouts};
use jobs::work::Outcome;
use jobs::worker::{Attempt, Begun, Handler, Worker, WorkerConfig};
use orchestrator::api::{AppState, Config};
use orchestrator::queue::Wakeups;
use orchestrator::store::jobs::{self as store, NewJob};
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);
/// Until a test gives up waiting; far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Begins, and works until it is told to stop.
#[derive(Clone, Default)]
struct Device {
    begun: watch::Sender<usize>,
    recovered: Arc<AtomicUsize>,
}

#[async_trait]
impl Handler for Device {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        if let Err(not_begun) = attempt.begin(attempt.operation_id()).await {
            return not_begun.into();
        }
        attempt.progress("transfer 3 of 40", Some(0.1));
        self.begun.send_modify(|begun| *begun += 1);
        let halt = attempt.halted().await;
        Outcome::Stopped { note: format!("after transfer 3: {halt}") }
    }

    async fn recover(&self, _: &Begun) -> Option<Outcome> {
        self.recovered.fetch_add(1, Ordering::SeqCst);
        Some(Outcome::Stopped { note: "the run was stopped".to_owned() })
    }
}

/// A `serve` of its own over the same database.
struct Serve {
    url: String,
    stop: CancellationToken,
    /// Paths of what was asked, in order.
    asked: watch::Receiver<Vec<String>>,
}

impl Serve {
    async fn start(state: &AppState) -> Self {
        let state = AppState::new(
            state.pool.clone(),
            state.blobs.clone(),
            Wakeups::default(),
            Config { lease_duration: HOUR, ..Config::default() },
        );
        let stop = CancellationToken::new();
        tokio::spawn(state.wakeups.clone().run(state.pool.clone(), stop.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (asked, hears) = watch::channel(Vec::new());
        let note = move |request: Request, next: Next| {
            asked.send_modify(|asked| asked.push(request.uri().path().to_owned()));
            next.run(request)
        };
        let router: Router = orchestrator::api::router(state).layer(axum::middleware::from_fn(note));
        let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        let end = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = axum::serve(listener, service) => {}
                () = end.cancelled() => {}
            }
        });
        Self { url, stop, asked: hears }
    }

    /// When `count` lease requests came after the first `seen` requests: whether there was one for orders among them.
    async fn orders_asked_within(&self, count: usize, seen: usize) -> bool {
        let after =
            |asked: &Vec<String>, path: &str| asked.iter().skip(seen).filter(|it| it.ends_with(path)).count();
        let mut asked = self.asked.clone();
        let asked = asked.wait_for(|asked| after(asked, "/leases") >= count);
        let asked = tokio::time::timeout(PATIENCE, asked).await.expect("in time").expect("it serves");
        after(&asked, "/orders") > 0
    }
}

struct Agent {
    device: Device,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

async fn agent(app: &App, url: &str, name: &str, capability: &str, spool: &Path, device: Device) -> Agent {
    let wait_seconds = WorkerConfig::new("", "", [""; 0], "").wait_seconds;
    agent_waiting(app, url, name, capability, spool, device, wait_seconds).await
}

async fn agent_waiting(
    app: &App,
    url: &str,
    name: &str,
    capability: &str,
    spool: &Path,
    device: Device,
    wait_seconds: u32,
) -> Agent {
    let secret = app.token_of(name, ActorKind::Agent, &[Scope::WorkBench]).await;
    let client = Client::new(url, Secret::new(secret), Timeouts::default()).expect("a client");
    let mut config = WorkerConfig::new(name, "bench", [capability], spool.join(name));
    config.instrument = Some(name.to_owned());
    config.wait_seconds = wait_seconds;
    config.retry_first = Duration::from_millis(20);
    config.retry_limit = Duration::from_millis(200);
    config.spool_limits.reserve_bytes = 0;
    let (stop, handler) = (CancellationToken::new(), Arc::new(device.clone()));
    let (end, worker) = (stop.clone(), Worker::run(client, config, handler, stop.clone()));
    let task = tokio::spawn(async move {
        // Dropped in the middle: as good as a kill.
        tokio::select! {
            ended = worker => ended.expect("it works"),
            () = end.cancelled() => {}
        }
    });
    Agent { device, stop, task }
}

async fn until(app: &App, token: &str, what: &str, claim: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let (_, laboratory) = app.get(token, "/api/v1/laboratory").await;
        if claim(&laboratory) {
            return laboratory;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: {laboratory:#}");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn standing<'a>(laboratory: &'a Value, place: &str) -> &'a Value {
    let places = laboratory["places"].as_array().expect("places");
    places.iter().find(|it| it["place"] == place).expect("the place")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_agent_confirms_a_stop_and_begins_nothing_until_it_is_lifted_also_after_restarts(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let operator = app.token(&[Scope::Read, Scope::JobResolve, Scope::InstrumentWrite]).await;
    for (name, capability) in [("handler-1", "dispense.liquid"), ("reader-1", "read.plate")] {
        let body = json!({"capabilities": [capability], "profile": {}});
        let path = format!("/api/v1/instruments/{name}");
        let (status, _) = app.send(crate::support::request("PUT", &operator, &path, Some(&body))).await;
        assert!(status.is_success());
    }
    let spool = tempfile::tempdir().expect("a folder");
    // Two replicas: the order goes to one, the agents ask the other.
    let (here, there) = (Serve::start(&app.state).await, Serve::start(&app.state).await);
    let handler =
        agent(&app, &there.url, "handler-1", "dispense.liquid", spool.path(), Device::default()).await;
    let reader = agent(&app, &there.url, "reader-1", "read.plate", spool.path(), Device::default()).await;
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    store::create(&mut conn, &NewJob::new(work::dispense())).await.expect("a job");
    let mut begun = handler.device.begun.subscribe();
    tokio::time::timeout(PATIENCE, begun.wait_for(|begun| *begun == 1))
        .await
        .expect("in time")
        .expect("begun");

    // Ordered over HTTP, at the other replica.
    let ordered = Instant::now();
    let door = reqwest::Client::new();
    let answer = door
        .post(format!("{}/api/v1/laboratory/stop", here.url))
        .bearer_auth(&operator)
        .json(&json!({"reason": "a smell of smoke"}))
        .send()
        .await
        .expect("answered");
    assert!(answer.status().is_success());
    let laboratory =
        until(&app, &operator, "everybody confirms", |it| it["not_confirmed"] == json!([])).await;
    println!("from the order to the last confirmation: {:?}", ordered.elapsed());
    assert_eq!(standing(&laboratory, "reader-1")["standing"], "idle");
    let laboratory =
        until(&app, &operator, "it stops", |it| standing(it, "handler-1")["standing"] == "stopped").await;
    println!("until the device had stopped: {:?}", ordered.elapsed());
    assert_eq!(standing(&laboratory, "handler-1")["says"], "after transfer 3: somebody asked to stop");

    // Everything restarts: server, replica, agents. It stays stopped, and whoever comes back confirms again.
    for agent in [handler, reader] {
        agent.stop.cancel();
        agent.task.await.expect("ended");
    }
    here.stop.cancel();
    there.stop.cancel();
    sqlx::query("delete from stop_confirmation").execute(&mut owner(&app).await).await.expect("forgotten");
    let again = Serve::start(&app.state).await;
    let read = store::create(&mut conn, &NewJob::new(work::read())).await.expect("a job").job_id();
    let device = Device::default();
    let reader = agent(&app, &again.url, "reader-1", "read.plate", spool.path(), device.clone()).await;
    let handler =
        agent(&app, &again.url, "handler-1", "dispense.liquid", spool.path(), Device::default()).await;
    until(&app, &operator, "they confirm again", |it| it["not_confirmed"] == json!([])).await;
    assert_eq!(*device.begun.borrow(), 0);
    assert_eq!(store::state_of(&mut conn, read).await.expect("read").expect("there").as_str(), "ready");

    let (_, on) = app.post(&operator, "/api/v1/laboratory/resume", &json!({"reason": "toast"})).await;
    assert_eq!(on["stop"], json!(null));
    let mut begun = device.begun.subscribe();
    tokio::time::timeout(PATIENCE, begun.wait_for(|begun| *begun == 1))
        .await
        .expect("in time")
        .expect("begun");

    // A stop of that one job arrives the same way.
    let path = format!("/api/v1/jobs/{read}/cancel");
    let asked = Instant::now();
    app.post(&operator, &path, &json!({"reason": "wrong plate"})).await;
    loop {
        let state = store::state_of(&mut conn, read).await.expect("read").expect("there");
        if state.as_str() == "cancelled" {
            break;
        }
        assert!(asked.elapsed() < PATIENCE, "{state:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("from the order to the end of the job: {:?}", asked.elapsed());
    for agent in [handler, reader] {
        agent.stop.cancel();
        agent.task.await.expect("ended");
    }
    again.stop.cancel();
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_agent_that_waits_for_work_asks_for_no_orders_and_hears_of_a_stop_all_the_same(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let operator = app.token(&[Scope::Read, Scope::JobResolve, Scope::InstrumentWrite]).await;
    let profile = json!({"capabilities": ["read.plate"], "profile": {}});
    let path = "/api/v1/instruments/reader-1";
    let (status, _) = app.send(crate::support::request("PUT", &operator, path, Some(&profile))).await;
    assert!(status.is_success());
    let spool = tempfile::tempdir().expect("a folder");
    let serve = Serve::start(&app.state).await;
    let device = Device::default();
    let agent =
        agent_waiting(&app, &serve.url, "reader-1", "read.plate", spool.path(), device.clone(), 1).await;
    at_rest(&serve).await;

    let reason = json!({"reason": "a smell of smoke"});
    app.post(&operator, "/api/v1/laboratory/stop", &reason).await;
    let laboratory = until(&app, &operator, "it confirms", |it| it["not_confirmed"] == json!([])).await;
    assert_eq!(standing(&laboratory, "reader-1")["standing"], "idle");
    app.post(&operator, "/api/v1/laboratory/resume", &reason).await;
    at_rest(&serve).await;

    // With something in hand it asks: a stop of that job finds it.
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    let read = store::create(&mut conn, &NewJob::new(work::read())).await.expect("a job").job_id();
    let mut begun = device.begun.subscribe();
    tokio::time::timeout(PATIENCE, begun.wait_for(|begun| *begun == 1))
        .await
        .expect("in time")
        .expect("begun");
    app.post(&operator, &format!("/api/v1/jobs/{read}/cancel"), &reason).await;
    let cancelled = async {
        while store::state_of(&mut conn, read).await.expect("read").expect("there").as_str() != "cancelled" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, cancelled).await.expect("in time");
    at_rest(&serve).await;
    agent.stop.cancel();
    agent.task.await.expect("ended");
    serve.stop.cancel();
}

/// Until three waits for work in a row had nothing asked beside them.
async fn at_rest(serve: &Serve) {
    let began = Instant::now();
    loop {
        let seen = serve.asked.borrow().len();
        if !serve.orders_asked_within(3, seen).await {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "it goes on asking for orders");
    }
}

/// The application may not forget confirmations; the owner of the schema may.
async fn owner(app: &App) -> sqlx::PgConnection {
    let mut conn = app.state.pool.acquire().await.expect("a connection").detach();
    sqlx::query("reset role").execute(&mut conn).await.expect("the owner");
    conn
}
