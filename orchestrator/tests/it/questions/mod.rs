//! What people ask of a campaign's model, and a learner answers.

mod predictions;
mod screens;

use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jobs::Work;
use jobs::work::{Kind, Outcome};
use orchestrator::api::{self, AppState, Config};
use orchestrator::ids::ActorId;
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower::ServiceExt;

/// The door to a laboratory, and somebody who may ask.
pub struct Door {
    pub laboratory: Laboratory,
    router: Router,
    token: String,
}

impl Door {
    /// A campaign that has done its one round: model versions 1 and 2.
    pub async fn new(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        let mut door = Self::before_anything(options, login).await;
        door.laboratory.run().await;
        door
    }

    /// A campaign that has no model yet.
    pub async fn before_anything(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        let laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
        let engine = &laboratory.engine;
        let state = AppState::new(
            engine.pool.clone(),
            engine.blobs.clone(),
            engine.wakeups.clone(),
            Config::default(),
        );
        let new = NewToken {
            actor: "grace".to_owned(),
            kind: ActorKind::Person,
            scopes: vec![Scope::Read, Scope::BatchEdit],
            label: "test".to_owned(),
            valid_hours: 1,
        };
        let mut conn = laboratory.pool.acquire().await.expect("a connection");
        let token = tokens::create(&mut conn, &new).await.expect("a token").secret;
        drop(conn);
        Self { laboratory, router: api::router(state), token }
    }

    /// Where the campaign's questions of a kind are.
    pub fn path(&self, resource: &str) -> String {
        format!("/api/v1/campaigns/{}/{resource}", self.laboratory.campaign)
    }

    pub fn question(&self, resource: &str, body: &Value) -> Request<Body> {
        request("POST", &self.token, &self.path(resource), Some(body))
    }

    /// The same under an idempotency key.
    pub fn keyed(&self, resource: &str, key: &'static str, body: &Value) -> Request<Body> {
        let mut question = self.question(resource, body);
        question.headers_mut().insert("idempotency-key", key.parse().expect("a header"));
        question
    }

    pub async fn ask(&self, question: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(question).await.expect("an answer");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(request("GET", &self.token, path, None)).await
    }

    /// The question is refused so; answers in which words.
    pub async fn refused(&self, resource: &str, body: &Value, status: StatusCode, code: &str) -> Value {
        let (said, problem) = self.ask(self.question(resource, body)).await;
        assert_eq!((said, problem["code"].as_str()), (status, Some(code)), "{body}: {problem}");
        problem
    }

    /// Plays the learner: waits for the job, and ends it so. Answers what was asked.
    pub async fn learner(&self, kind: Kind, outcome: Outcome) -> Work {
        let mut news = self.laboratory.engine.wakeups.subscribe_jobs(kind.queue());
        loop {
            if let Some(lease) = self.laboratory.lease(kind).await {
                self.laboratory.report(&lease, outcome).await;
                self.laboratory.engine.wakeups.settled();
                return lease.work;
            }
            news.changed().await.expect("the wake-ups live");
        }
    }

    /// A blob of the laboratory's.
    pub async fn blob(&self, bytes: &'static [u8]) -> jobs::Digest {
        let engine = &self.laboratory.engine;
        let by: ActorId = self.laboratory.person;
        engine.blobs.put_bytes(&engine.pool, bytes.into(), "text/csv", by).await.expect("a blob")
    }
}
