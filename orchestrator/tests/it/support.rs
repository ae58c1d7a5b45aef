//! What the tests share: a pool that acts as the application's role, and the real app over it.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use orchestrator::api::{self, AppState, Config};
use orchestrator::queue::Wakeups;
use orchestrator::store::blobs::Blobs;
use orchestrator::store::pool::{ConnectOptions, pool_options, with_timeouts};
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection};
use tempfile::TempDir;
use tower::ServiceExt;

/// A pool as the application has it: role and timeouts.
pub async fn as_application(_: PgPoolOptions, login: PgConnectOptions) -> PgPool {
    let options = ConnectOptions { max_connections: 8, ..ConnectOptions::default() };
    pool_options(&options)
        .connect_with(with_timeouts(login, &options))
        .await
        .expect("the test database takes connections")
}

/// The owner of a test's database, from which everything is gone that its template may have
/// (`scripts/with-migrated-template`).
pub async fn emptied(login: &PgConnectOptions) -> PgConnection {
    let mut owner = login.connect().await.expect("the owner");
    sqlx::raw_sql("drop schema public cascade; create schema public")
        .execute(&mut owner)
        .await
        .expect("an empty database");
    owner
}

/// The real app over a fresh database.
pub struct App {
    pub state: AppState,
    pub router: Router,
    _blobs: Option<TempDir>,
}

impl App {
    pub async fn new(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        Self::with(options, login, Config::default()).await
    }

    pub async fn with(options: PgPoolOptions, login: PgConnectOptions, config: Config) -> Self {
        let pool = as_application(options, login).await;
        let dir = tempfile::tempdir().expect("a folder for blobs");
        let blobs = Blobs::local(dir.path(), 1 << 20).expect("a blob store");
        let state = AppState::new(pool, blobs, Wakeups::default(), config);
        Self { router: api::router(state.clone()), state, _blobs: Some(dir) }
    }

    /// The same over what is there.
    pub fn over(state: AppState) -> Self {
        Self { router: api::router(state.clone()), state, _blobs: None }
    }

    /// The secret of a fresh token with these scopes.
    pub async fn token(&self, scopes: &[Scope]) -> String {
        self.token_of("somebody", ActorKind::Person, scopes).await
    }

    pub async fn token_of(&self, actor: &str, kind: ActorKind, scopes: &[Scope]) -> String {
        let new = NewToken {
            actor: actor.to_owned(),
            kind,
            scopes: scopes.to_vec(),
            label: "test".to_owned(),
            valid_hours: 1,
        };
        let mut conn = self.state.pool.acquire().await.expect("a connection");
        tokens::create(&mut conn, &new).await.expect("a token").secret
    }

    /// Sends `request` and looks only at the status: the body of a live stream never ends.
    pub async fn status(&self, request: Request<Body>) -> StatusCode {
        self.router.clone().oneshot(request).await.expect("the router answers").status()
    }

    /// Sends `request`; a JSON answer is decoded, another one is its text.
    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 16 << 20).await.expect("a whole body");
        let text = String::from_utf8_lossy(&body).into_owned();
        (status, serde_json::from_slice(&body).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        self.send(request("GET", token, path, None)).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(request("POST", token, path, Some(body))).await
    }
}

pub fn request(method: &str, token: &str, path: &str, body: Option<&Value>) -> Request<Body> {
    let builder =
        Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    match body {
        None => builder.body(Body::empty()),
        Some(body) => {
            builder.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        }
    }
    .expect("a valid request")
}
