//! The write side of the loop through the real door: each test keeps the whole conversation, status and body, as a
//! snapshot.

mod approval;
mod batches;
mod calendar;
pub mod campaigns;
mod inventory;
mod plates;
mod rounds;

use crate::laboratory::Laboratory;
use crate::support::{App, request};
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode};
use chrono::DateTime;
use orchestrator::api::{AppState, Config};
use serde_json::Value;
use std::fmt::Write as _;

/// A conversation with the door.
pub struct Talk {
    pub app: App,
    pub text: String,
}

impl Talk {
    pub fn with(app: App) -> Self {
        Self { app, text: String::new() }
    }

    /// With the door of a laboratory's own server.
    pub fn at(laboratory: &Laboratory) -> Self {
        let engine = &laboratory.engine;
        let state = AppState::new(
            laboratory.pool.clone(),
            engine.blobs.clone(),
            engine.wakeups.clone(),
            Config::default(),
        );
        Self::with(App::over(state))
    }

    /// Sends a request, and keeps question and answer.
    pub async fn say(&mut self, what: &str, request: Request<Body>) -> (StatusCode, Value) {
        let line = format!("{} {}", request.method(), words_redacted(request.uri().path(), '/'));
        let (status, body) = self.app.send(request).await;
        let shown = serde_json::to_string_pretty(&redacted(body.clone())).expect("JSON");
        writeln!(self.text, "# {what}\n{line} -> {}\n{shown}\n", status.as_u16()).expect("a string");
        (status, body)
    }

    pub async fn post(&mut self, what: &str, token: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        self.say(what, request("POST", token, path, Some(body))).await
    }

    /// With the revision that was seen.
    pub async fn post_seen(
        &mut self,
        what: &str,
        token: &str,
        path: &str,
        revision: u64,
        body: &Value,
    ) -> (StatusCode, Value) {
        let seen = format!("\"{revision}\"");
        self.say(what, header(request("POST", token, path, Some(body)), "if-match", &seen)).await
    }
}

pub fn header(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header's value"));
    request
}

pub fn keyed(request: Request<Body>) -> Request<Body> {
    header(request, "idempotency-key", "a-key-of-the-client")
}

/// Without what differs from run to run.
fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(words_redacted(&text, ' ')),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = match name.as_str() {
                    "toml" => "<the file>".into(),
                    // Held by the tests of planning and ingestion.
                    "draft" if value.is_object() => "<the draft plan>".into(),
                    "qc" if value.is_object() => "<the judgement>".into(),
                    _ => redacted(value),
                };
                (name, value)
            })
            .collect(),
        other => other,
    }
}

fn words_redacted(text: &str, between: char) -> String {
    let words = text.split(between).map(|word| {
        let core = word.trim_end_matches(['.', ',', ':', ';']);
        let rest = word.strip_prefix(core).unwrap_or_default();
        let stand_in = if uuid::Uuid::parse_str(core).is_ok() && core.len() == 36 {
            "<id>"
        } else if core.len() == 64 && core.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            "<sha256>"
        } else if DateTime::parse_from_rfc3339(core).is_ok() {
            "<time>"
        } else {
            core
        };
        format!("{stand_in}{rest}")
    });
    words.collect::<Vec<_>>().join(&between.to_string())
}
