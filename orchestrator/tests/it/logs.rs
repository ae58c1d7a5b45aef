//! Logs as collectors take them: an object a line, with the ids of what it is about, and no secret.

use crate::laboratory::{Laboratory, Settings};
use crate::support::{App, request};
use axum::http::{HeaderValue, header};
use orchestrator::api::{AppState, Config};
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn lines_of_a_request_say_who_asked_and_what_about_and_no_secret(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory =
        Laboratory::new(options, login, Settings { rounds: 1, batch: 4, ..Settings::default() }).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let engine = &laboratory.engine;
    let state = AppState::new(
        laboratory.pool.clone(),
        engine.blobs.clone(),
        engine.wakeups.clone(),
        Config::default(),
    );
    let app = App::over(state);
    let token = app.token_of("grace", ActorKind::Person, &Scope::ALL).await;
    let pause = format!("/api/v1/campaigns/{}/pause", laboratory.campaign);
    let mut paused = request("POST", &token, &pause, Some(&json!({})));
    paused.headers_mut().insert("x-request-id", HeaderValue::from_static("of-the-test"));
    let (status, answer) = app.send(paused).await;
    assert!(status.is_success(), "{answer}");
    let new = json!({"name": "linus", "display_name": "Linus", "grants": []});
    let (_, made) = app.post(&token, "/api/v1/users", &new).await;
    let password = made["initial_password"].as_str().expect("a password").to_owned();
    let mut sign_in =
        request("POST", "", "/api/v1/session", Some(&json!({"name": "linus", "password": password})));
    sign_in.headers_mut().remove(header::AUTHORIZATION);
    let answer = tower::ServiceExt::oneshot(app.router.clone(), sign_in).await.expect("an answer");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    let cookie = cookie.split([';', '=']).nth(1).expect("a secret").to_owned();
    laboratory.run().await;

    let text = String::from_utf8_lossy(&log.0.lock().expect("the log")).into_owned();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let of_request: Vec<&Value> =
        lines.iter().filter(|line| line["span"]["request_id"] == "of-the-test").collect();
    let last = of_request.last().expect("lines of the request");
    assert_eq!(last["span"]["actor"], "grace");
    assert_eq!(last["span"]["campaign_id"], laboratory.campaign.to_string());
    assert!(last["span"]["actor_id"].is_string() && last["timestamp"].is_string(), "{last}");
    let names = [("a token", &token), ("a password", &password), ("a session", &cookie)];
    for (what, secret) in names {
        assert!(secret.len() > 10 && !text.contains(secret.as_str()), "{what} is in the log");
    }
}
