//! The world outside, in the test's hand: a receiver of webhooks, a mail server, and a service that tells them.

pub mod mailbox;
pub mod receiver;

use crate::support::App;
use orchestrator::channels::{Mail, Rules, Sender};
use orchestrator::engine::Engine;
use orchestrator::ids::{CampaignId, SYSTEM};
use orchestrator::notifications::Settings;
use orchestrator::people::Visible;
use orchestrator::store::events::NewEvent;
use orchestrator::store::tokens::Scope;
use orchestrator::store::{notifications, outbox};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::sync::Arc;
use std::time::Duration;

/// A service whose API and engine share a channel key, as replicas do. It waits for nothing.
pub struct Outside {
    pub app: App,
    pub engine: Engine,
    pub admin: String,
}

pub fn settings() -> Settings {
    Settings {
        public_url: Some("https://lab.example.org".into()),
        grace: Duration::ZERO,
        ..Settings::default()
    }
}

impl Outside {
    pub async fn new(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        Self::with(options, login, settings(), None).await
    }

    pub async fn with(
        options: PgPoolOptions,
        login: PgConnectOptions,
        settings: Settings,
        mail: Option<Mail>,
    ) -> Self {
        let app = App::new(options, login).await;
        let admin = app.token(&[Scope::Admin, Scope::Read, Scope::BatchApprove]).await;
        let state = &app.state;
        let key = state.config.channel_key.clone();
        let url = settings.public_url.clone();
        let sender = Sender::new(Rules::default(), mail, key, url.as_deref()).expect("TLS");
        let engine = Engine::new(state.pool.clone(), state.blobs.clone(), state.wakeups.clone());
        let engine = Engine { settings, sender: Arc::new(sender), ..engine };
        Self { app, engine, admin }
    }

    /// Something happens, and the outbox tells it.
    pub async fn happen(&self, kind: &str, subject: &str, subject_id: &str, body: Value) {
        happen(&self.engine, None, kind, subject, subject_id, body).await;
    }

    /// A batch begins to wait, and the relay has seen it.
    pub async fn batch_waits(&self, id: &str) {
        self.happen("BatchProposed", "batch", id, json!({"experiments": 12, "generation": 1})).await;
        self.engine.relay().await.expect("relayed");
    }

    /// Adds a channel over the API; answers the channel and the secret that was made.
    pub async fn add(&self, body: Value) -> (Value, Option<String>) {
        let (status, answer) = self.app.post(&self.admin, "/api/v1/channels", &body).await;
        assert_eq!(status, 201, "{answer}");
        (answer["channel"].clone(), answer["secret"].as_str().map(str::to_owned))
    }

    pub async fn add_webhook(&self, url: &str) -> (Value, String) {
        let (channel, secret) = self.add(json!({"name": "hook", "kind": "webhook", "target": url})).await;
        (channel, secret.expect("a secret that was made"))
    }

    pub async fn open(&self) -> Vec<notifications::Notification> {
        let mut conn = self.engine.pool.acquire().await.expect("a connection");
        notifications::list(&mut conn, &Visible::All, true, None, 100).await.expect("notifications")
    }

    /// The only delivery there is, with its history.
    pub async fn delivery(&self) -> Value {
        let (_, page) = self.app.get(&self.admin, "/api/v1/deliveries").await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
        let id = page["items"][0]["id"].as_str().expect("an id");
        self.app.get(&self.admin, &format!("/api/v1/deliveries/{id}")).await.1
    }

    /// Time passes until what waits to be tried again is due.
    pub async fn wait_is_over(&self) {
        self.execute("update delivery set due_at = now() where state = 'pending'").await;
    }

    pub async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.engine.pool).await.expect(sql);
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.engine.pool).await.expect(sql)
    }
}

pub async fn happen(
    engine: &Engine,
    campaign_id: Option<CampaignId>,
    kind: &str,
    subject: &str,
    subject_id: &str,
    body: Value,
) {
    let mut tx = orchestrator::store::begin_on(&engine.pool).await.expect("a transaction");
    let event =
        NewEvent { kind, subject, subject_id: subject_id.to_owned(), campaign_id, actor: SYSTEM, body };
    outbox::tell(&mut tx, &event).await.expect("told");
    tx.commit().await.expect("committed");
}
