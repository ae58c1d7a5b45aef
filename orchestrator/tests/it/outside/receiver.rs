//! A receiver of webhooks that answers as it is told to, and remembers everything.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[derive(Default)]
struct Inner {
    received: Vec<Received>,
    /// Next answers, first to last; then 204.
    answers: VecDeque<StatusCode>,
}

pub struct Receiver {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Receiver {
    pub async fn new() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let shared = inner.clone();
        let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let mut inner = shared.lock().expect("the receiver lives");
            inner.received.push(Received { path: uri.path().to_owned(), headers, body });
            let status = inner.answers.pop_front().unwrap_or(StatusCode::NO_CONTENT);
            let elsewhere = [(header::LOCATION, "/elsewhere")];
            if status.is_redirection() { (status, elsewhere).into_response() } else { status.into_response() }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    pub fn answers(&self, statuses: impl IntoIterator<Item = u16>) {
        let statuses = statuses.into_iter().map(|status| StatusCode::from_u16(status).expect("a status"));
        self.inner.lock().expect("the receiver lives").answers.extend(statuses);
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.lock().expect("the receiver lives").received.clone()
    }
}
