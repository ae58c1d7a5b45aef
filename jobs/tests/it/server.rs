//! A server of the contract in this process, with the real state machine, that can be told to misbehave.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jobs::client::{Client, EPOCH_HEADER, Secret, Timeouts};
use jobs::state::{Event, State};
use jobs::wire::*;
use jobs::work::{Kind, Outcome, Work};
use jobs::{Digest, FailureClass, JobId, LeaseToken};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

pub const TOKEN: &str = "lw_test_token";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    Lease,
    Start,
    Heartbeat,
    Release,
    Report,
    PutBlob,
    Reconciled,
}

/// What to do with one call instead of serving it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answer this status, do nothing.
    Status(u16),
    /// Serve it, then break the connection in the middle of the answer.
    LoseAnswer,
    /// Never answer, do nothing.
    HangBefore,
    /// Serve it, never answer.
    HangAfter,
    /// A proxy's page instead of an answer.
    Garbage,
    /// Raise the kill signal, do nothing, never answer.
    KillBefore,
    /// Serve it, raise the kill signal, never answer.
    KillAfter,
    /// Give the last lease once more.
    RepeatLease,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub work: Work,
    pub state: State,
    pub token: Option<LeaseToken>,
    pub attempt: u32,
    pub starts: usize,
    pub reports: Vec<(LeaseToken, Outcome, Disposition)>,
    pub progress: Option<Progress>,
    pub stop_requested: bool,
}

#[derive(Default)]
pub struct World {
    pub jobs: Vec<Job>,
    pub blobs: HashMap<Digest, Bytes>,
    pub calls: Vec<Route>,
    pub empty_answers: usize,
    pub lease_seconds: u32,
    pub epoch: Option<String>,
    /// Those that said to have offered everything, with the epoch they said it to.
    pub reconciled: Vec<(String, Reconciled)>,
    /// What reports told of their leases.
    pub told: HashMap<JobId, LeaseSummary>,
    faults: HashMap<Route, VecDeque<Fault>>,
    last_lease: Option<Lease>,
}

/// Runs on a thread of its own, so that it outlives the worker's runtime.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Inner>,
    address: SocketAddr,
}

struct Inner {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
    kill: watch::Sender<bool>,
    up: watch::Sender<bool>,
}

impl Server {
    pub fn start() -> Self {
        let world = World { lease_seconds: 60, ..World::default() };
        let shared = Arc::new(Inner {
            world: Mutex::new(world),
            changed: watch::Sender::new(0),
            kill: watch::Sender::new(false),
            up: watch::Sender::new(true),
        });
        let (tell, told) = std::sync::mpsc::channel();
        let inner = shared.clone();
        std::thread::spawn(move || serve(inner, tell));
        let address = told.recv().unwrap();
        Self { shared, address }
    }

    pub fn client(&self) -> Client {
        let timeouts = Timeouts {
            connect: Duration::from_millis(500),
            call: Duration::from_millis(500),
            blob: Duration::from_millis(500),
        };
        Client::new(&self.url(), Secret::new(TOKEN), timeouts).unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A ready job of `kind`.
    pub fn add(&self, kind: Kind) -> JobId {
        let id = JobId::fresh();
        let job = Job {
            id,
            work: crate::samples::work(kind),
            state: State::Ready,
            token: None,
            attempt: 0,
            starts: 0,
            reports: Vec::new(),
            progress: None,
            stop_requested: false,
        };
        self.change(|world| world.jobs.push(job));
        id
    }

    /// The next call of `route` is answered with `fault`; several wait their turn.
    pub fn misbehave(&self, route: Route, fault: Fault) {
        self.change(|world| world.faults.entry(route).or_default().push_back(fault));
    }

    pub fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let result = act(&mut self.shared.world.lock().unwrap());
        self.shared.changed.send_modify(|count| *count += 1);
        result
    }

    pub fn job(&self, id: JobId) -> Job {
        self.change(|world| world.job(id).cloned().expect("the job exists"))
    }

    /// The lease of `id` runs out now, as the reaper would have it.
    pub fn expire(&self, id: JobId) {
        self.change(|world| {
            let job = world.job(id).expect("the job exists");
            let event = Event::LeaseExpired { repeatable: job.work.kind().is_repeatable() };
            if let Ok(next) = job.state.next(event) {
                job.state = next;
            }
        });
    }

    /// Somebody else holds the job now.
    pub fn take_away(&self, id: JobId) {
        self.change(|world| {
            world.job(id).expect("the job exists").token = Some(LeaseToken::fresh());
        });
    }

    pub fn request_stop(&self, id: JobId) {
        self.change(|world| {
            let job = world.job(id).expect("the job exists");
            job.stop_requested = true;
            job.state = job.state.next(Event::StopRequested).unwrap();
        });
    }

    /// Closes the port and every connection; `come_back` opens it again.
    pub fn go_down(&self) {
        self.shared.up.send_replace(false);
    }

    pub fn come_back(&self) {
        self.shared.up.send_replace(true);
    }

    /// Waits until `claim` holds of the world.
    pub async fn until(&self, claim: impl Fn(&mut World) -> bool) {
        let mut changed = self.shared.changed.subscribe();
        let waiting = async {
            loop {
                changed.borrow_and_update();
                if claim(&mut self.shared.world.lock().unwrap()) {
                    return;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .expect("what the test waits for happens within 30 s");
    }

    pub async fn until_state(&self, id: JobId, state: State) {
        self.until(|world| world.job(id).is_some_and(|job| job.state == state)).await;
    }

    /// Comes back when a `Kill*` fault was met.
    pub async fn killed(&self) {
        let mut kill = self.shared.kill.subscribe();
        kill.wait_for(|raised| *raised).await.unwrap();
    }

    pub fn forget_kill(&self) {
        self.shared.kill.send_replace(false);
    }
}

impl World {
    pub fn job(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    fn lease(&mut self, request: &LeaseRequest) -> Option<Lease> {
        let seconds = self.lease_seconds;
        let job = self.jobs.iter_mut().find(|job| {
            let kind = job.work.kind();
            job.state == State::Ready
                && kind.queue() == request.queue
                && request.capabilities.iter().any(|offered| offered == kind.capability())
        })?;
        job.state = job.state.next(Event::Leased).unwrap();
        job.attempt += 1;
        let token = LeaseToken::fresh();
        job.token = Some(token);
        let lease = Lease {
            job_id: job.id,
            lease_token: token,
            attempt: job.attempt,
            expires_in_seconds: seconds,
            repeatable: job.work.kind().is_repeatable(),
            deadline_lab_at: None,
            work: job.work.clone(),
        };
        self.last_lease = Some(lease.clone());
        Some(lease)
    }

    /// `Err`: authority lost.
    fn start(&mut self, id: JobId, token: LeaseToken) -> Result<HeartbeatAnswer, ()> {
        let expires_in_seconds = self.lease_seconds;
        let job = self.held(id, token)?;
        if let Ok(next) = job.state.next(Event::Started) {
            job.state = next;
        }
        job.starts += 1;
        Ok(HeartbeatAnswer { expires_in_seconds, stop_requested: job.stop_requested })
    }

    fn beat(&mut self, id: JobId, beat: Heartbeat) -> Result<HeartbeatAnswer, ()> {
        let expires_in_seconds = self.lease_seconds;
        let job = self.held(id, beat.lease_token)?;
        job.progress = beat.progress.or(job.progress.take());
        Ok(HeartbeatAnswer { expires_in_seconds, stop_requested: job.stop_requested })
    }

    fn release(&mut self, id: JobId, token: LeaseToken) -> Result<(), ()> {
        let job = self.held(id, token)?;
        job.state = job.state.next(Event::Released).map_err(drop)?;
        Ok(())
    }

    fn held(&mut self, id: JobId, token: LeaseToken) -> Result<&mut Job, ()> {
        let job = self.job(id).ok_or(())?;
        if job.state.is_held() && job.token == Some(token) { Ok(job) } else { Err(()) }
    }

    fn report(&mut self, id: JobId, report: Report) -> Option<ReportAnswer> {
        if let Some(lease) = report.lease {
            self.told.insert(id, *lease);
        }
        let job = self.job(id)?;
        let token = report.lease_token;
        let before = job.reports.iter().any(|(t, o, _)| *t == token && *o == report.outcome);
        let disposition = if before {
            Disposition::AlreadyDone
        } else if job.token == Some(token)
            && let Ok(next) = job.state.next(event_of(&report.outcome))
        {
            job.state = next;
            Disposition::Accepted
        } else {
            Disposition::KeptAsEvidence
        };
        job.reports.push((token, report.outcome, disposition));
        Some(ReportAnswer { disposition })
    }
}

fn event_of(outcome: &Outcome) -> Event {
    match outcome {
        Outcome::Succeeded { .. } => Event::ReportedSucceeded,
        Outcome::Failed { failure } => {
            Event::ReportedFailed { retry: failure.class == FailureClass::Transient }
        }
        Outcome::Stopped { .. } => Event::ReportedStopped,
        Outcome::Unknown { .. } => Event::ReportedUnknown,
    }
}

/// Each time it is up it has a runtime of its own; dropping that cuts every connection, as a power cut would.
fn serve(inner: Arc<Inner>, tell: std::sync::mpsc::Sender<SocketAddr>) {
    let mut address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut up = inner.up.subscribe();
    loop {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            address = listener.local_addr().unwrap();
            let _ = tell.send(address);
            let app = router(inner.clone());
            tokio::select! {
                _ = async { axum::serve(listener, app).await } => {}
                _ = up.wait_for(|up| !*up) => {}
            }
        });
        drop(runtime);
        let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
        if waiting.block_on(async { up.wait_for(|up| *up).await.is_err() }) {
            return;
        }
    }
}

fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/api/v1/leases", post(lease))
        .route("/api/v1/jobs/{id}/start", post(start))
        .route("/api/v1/jobs/{id}/heartbeat", post(heartbeat))
        .route("/api/v1/jobs/{id}/release", post(release))
        .route("/api/v1/jobs/{id}/report", post(report))
        .route("/api/v1/reconciliations/{epoch}/reconciled", post(reconciled))
        .route("/api/v1/blobs/{digest}", get(get_blob).put(put_blob))
        .with_state(inner)
}

type App = Shared<Arc<Inner>>;

async fn lease(Shared(inner): App, headers: HeaderMap, body: Bytes) -> Response {
    let request: LeaseRequest = serde_json::from_slice(&body).unwrap();
    if request.contract_version < jobs::CONTRACT_VERSION {
        return problem(426, "contract.too_old", "Install a newer worker.");
    }
    inner
        .answer(Route::Lease, &headers, async {
            let mut changed = inner.changed.subscribe();
            let wait = Duration::from_secs(u64::from(request.wait_seconds));
            let found = tokio::time::timeout(wait, async {
                loop {
                    changed.borrow_and_update();
                    // At each look: a request that waited through the end of a life is given nothing in the next.
                    let answer = {
                        let mut world = inner.world.lock().unwrap();
                        let is_of_another_life = world.epoch.is_some() && request.epoch != world.epoch;
                        if is_of_another_life { Some(None) } else { world.lease(&request).map(Some) }
                    };
                    if let Some(answer) = answer {
                        return answer;
                    }
                    changed.changed().await.unwrap();
                }
            });
            match found.await {
                Ok(Some(lease)) => json(&lease),
                Ok(None) => problem(409, "lease.reconciling", "Offer first what you did."),
                Err(_) => {
                    inner.world.lock().unwrap().empty_answers += 1;
                    StatusCode::NO_CONTENT.into_response()
                }
            }
        })
        .await
}

async fn start(Shared(inner): App, Path(id): Path<JobId>, headers: HeaderMap, body: Bytes) -> Response {
    let authority: Authority = serde_json::from_slice(&body).unwrap();
    inner
        .answer(Route::Start, &headers, async {
            authority_answer(inner.world.lock().unwrap().start(id, authority.lease_token))
        })
        .await
}

async fn heartbeat(Shared(inner): App, Path(id): Path<JobId>, headers: HeaderMap, body: Bytes) -> Response {
    let beat: Heartbeat = serde_json::from_slice(&body).unwrap();
    inner
        .answer(Route::Heartbeat, &headers, async {
            authority_answer(inner.world.lock().unwrap().beat(id, beat.clone()))
        })
        .await
}

async fn release(Shared(inner): App, Path(id): Path<JobId>, headers: HeaderMap, body: Bytes) -> Response {
    let authority: Authority = serde_json::from_slice(&body).unwrap();
    inner
        .answer(Route::Release, &headers, async {
            match inner.world.lock().unwrap().release(id, authority.lease_token) {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(()) => problem(409, "job.authority_lost", "Somebody else holds it."),
            }
        })
        .await
}

async fn report(Shared(inner): App, Path(id): Path<JobId>, headers: HeaderMap, body: Bytes) -> Response {
    let report: Report = serde_json::from_slice(&body).unwrap();
    inner
        .answer(Route::Report, &headers, async {
            match inner.world.lock().unwrap().report(id, report.clone()) {
                Some(answer) => json(&answer),
                None => problem(404, "job.not_found", "There is no such job."),
            }
        })
        .await
}

async fn reconciled(
    Shared(inner): App,
    Path(epoch): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let word: Reconciled = serde_json::from_slice(&body).unwrap();
    inner
        .answer(Route::Reconciled, &headers, async {
            let mut world = inner.world.lock().unwrap();
            if world.epoch.as_ref() != Some(&epoch) {
                return problem(409, "reconciliation.other_epoch", "Another one answers.");
            }
            world.reconciled.push((epoch.clone(), word.clone()));
            json(&ReconciledAnswer { closed: true, waits_for: Vec::new() })
        })
        .await
}

async fn get_blob(Shared(inner): App, Path(digest): Path<Digest>) -> Response {
    match inner.world.lock().unwrap().blobs.get(&digest) {
        Some(bytes) => bytes.clone().into_response(),
        None => problem(404, "blob.not_found", "There is no such blob."),
    }
}

async fn put_blob(
    Shared(inner): App,
    Path(digest): Path<Digest>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    inner
        .answer(Route::PutBlob, &headers, async {
            if Digest::of(&body) != digest {
                return problem(422, "blob.digest_mismatch", "The content does not match its name.");
            }
            inner.world.lock().unwrap().blobs.insert(digest, body.clone());
            StatusCode::CREATED.into_response()
        })
        .await
}

impl Inner {
    /// Serves the call, or misbehaves as told.
    async fn answer(
        &self,
        route: Route,
        headers: &HeaderMap,
        serve: impl Future<Output = Response>,
    ) -> Response {
        if headers.get("authorization").and_then(|v| v.to_str().ok()) != Some(&format!("Bearer {TOKEN}")) {
            return problem(401, "auth.unknown_token", "The token is not known.");
        }
        let fault = {
            let mut world = self.world.lock().unwrap();
            world.calls.push(route);
            world.faults.get_mut(&route).and_then(VecDeque::pop_front)
        };
        self.changed.send_modify(|count| *count += 1);
        let mut response = self.misbehave_or(fault, serve).await;
        self.changed.send_modify(|count| *count += 1);
        if let Some(epoch) = &self.world.lock().unwrap().epoch {
            response.headers_mut().insert(EPOCH_HEADER, epoch.parse().unwrap());
        }
        response
    }

    async fn misbehave_or(&self, fault: Option<Fault>, serve: impl Future<Output = Response>) -> Response {
        match fault {
            None => serve.await,
            Some(Fault::Status(status)) => problem(status, "test.told_so", "The test said so."),
            Some(Fault::LoseAnswer) => {
                serve.await;
                broken()
            }
            Some(Fault::HangBefore) => self.hang().await,
            Some(Fault::HangAfter) => {
                serve.await;
                self.hang().await
            }
            Some(Fault::Garbage) => "<html>Welcome to the hospital's network</html>".into_response(),
            Some(Fault::KillBefore) => {
                self.kill.send_replace(true);
                self.hang().await
            }
            Some(Fault::KillAfter) => {
                serve.await;
                self.kill.send_replace(true);
                self.hang().await
            }
            Some(Fault::RepeatLease) => {
                let last = self.world.lock().unwrap().last_lease.clone();
                json(&last.expect("a lease was given before"))
            }
        }
    }

    async fn hang(&self) -> Response {
        self.changed.send_modify(|count| *count += 1);
        std::future::pending().await
    }
}

fn json<T: serde::Serialize>(value: &T) -> Response {
    axum::Json(value).into_response()
}

fn authority_answer(result: Result<HeartbeatAnswer, ()>) -> Response {
    match result {
        Ok(answer) => json(&answer),
        Err(()) => problem(409, "job.authority_lost", "Somebody else holds it."),
    }
}

fn problem(status: u16, code: &str, detail: &str) -> Response {
    let body = serde_json::json!({ "status": status, "code": code, "title": code, "detail": detail });
    let kind = [("content-type", "application/problem+json")];
    (StatusCode::from_u16(status).unwrap(), kind, body.to_string()).into_response()
}

/// Headers, then the connection ends.
fn broken() -> Response {
    Response::new(Body::from_stream(tokio_util::io::ReaderStream::new(CutWire)))
}

struct CutWire;

impl tokio::io::AsyncRead for CutWire {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Err(std::io::Error::other("the wire was cut")))
    }
}
