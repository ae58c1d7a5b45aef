//! The line to a device, which can be cut.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use futures::stream;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Whether the device still hears a call whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Yes,
    No,
}

#[derive(Default)]
struct Cut {
    calls: usize,
    method: Option<&'static str>,
    heard: bool,
}

/// Shared with the middleware.
#[derive(Clone, Default)]
pub struct Line {
    cut: Arc<Mutex<Cut>>,
    mended: Arc<Notify>,
}

impl Line {
    /// The next `calls` calls (of this method only, when one is named) get no answer.
    pub fn cut(&self, calls: usize, method: Option<&'static str>, heard: Heard) {
        *self.cut.lock().unwrap() = Cut { calls, method, heard: heard == Heard::Yes };
    }

    /// Comes back when all calls that were to be lost are.
    pub async fn mended(&self) {
        loop {
            let notified = self.mended.notified();
            if self.cut.lock().unwrap().calls == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Whether this call is lost, and then whether the device hears it.
    fn loses(&self, method: &str) -> Option<bool> {
        let mut cut = self.cut.lock().unwrap();
        if cut.calls == 0 || cut.method.is_some_and(|only| only != method) {
            return None;
        }
        cut.calls -= 1;
        if cut.calls == 0 {
            self.mended.notify_waiters();
        }
        Some(cut.heard)
    }
}

/// The middleware.
pub async fn carry(State(line): State<Line>, request: Request, next: Next) -> Response {
    let lost = line.loses(request.method().as_str());
    if lost != Some(false) {
        let answer = next.run(request).await;
        if lost.is_none() {
            return answer;
        }
    }
    // The connection breaks in the middle of the answer.
    let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
    let mut response = Response::new(Body::from_stream(broken));
    *response.status_mut() = StatusCode::OK;
    response
}

/// Serves `router` on a port of its own; the address.
pub async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
