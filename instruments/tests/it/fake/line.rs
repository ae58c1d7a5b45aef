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

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lost(Heard),
    /// It is answered with this status, and the device does not hear it.
    Answered(u16),
}

struct Cut {
    calls: usize,
    method: Option<&'static str>,
    /// A part of the path.
    path: &'static str,
    fate: Fate,
}

#[derive(Default)]
struct State_ {
    /// A call meets the first that fits and is not used up.
    cuts: Vec<Cut>,
    met: usize,
}

/// Shared with the middleware.
#[derive(Clone, Default)]
pub struct Line {
    state: Arc<Mutex<State_>>,
    mended: Arc<Notify>,
}

impl Line {
    /// The next `calls` calls (of this method only, when one is named) get no answer.
    pub fn cut(&self, calls: usize, method: Option<&'static str>, heard: Heard) {
        self.cut_at(calls, method, "", heard);
    }

    /// The same of calls with this in their path.
    pub fn cut_at(&self, calls: usize, method: Option<&'static str>, path: &'static str, heard: Heard) {
        let cut = Cut { calls, method, path, fate: Fate::Lost(heard) };
        self.state.lock().unwrap().cuts = vec![cut];
    }

    /// When what was cut is used up, so many calls are answered with this status.
    pub fn then_says(&self, calls: usize, method: Option<&'static str>, path: &'static str, status: u16) {
        let cut = Cut { calls, method, path, fate: Fate::Answered(status) };
        self.state.lock().unwrap().cuts.push(cut);
    }

    /// From now on every call arrives.
    pub fn mend(&self) {
        self.state.lock().unwrap().cuts.clear();
        self.mended.notify_waiters();
    }

    /// Comes back when `calls` calls were lost or answered in the device's place, from the beginning on.
    pub async fn has_met(&self, calls: usize) {
        while self.met() < calls {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    pub fn met(&self) -> usize {
        self.state.lock().unwrap().met
    }

    /// Comes back when all calls that were to be lost are.
    pub async fn mended(&self) {
        loop {
            let notified = self.mended.notified();
            if self.state.lock().unwrap().cuts.iter().all(|cut| cut.calls == 0) {
                return;
            }
            notified.await;
        }
    }

    /// `None`: this call arrives, and so does its answer.
    fn fate(&self, method: &str, path: &str) -> Option<Fate> {
        let mut state = self.state.lock().unwrap();
        let fits = |cut: &&mut Cut| {
            cut.calls > 0 && cut.method.is_none_or(|only| only == method) && path.contains(cut.path)
        };
        let cut = state.cuts.iter_mut().find(fits)?;
        cut.calls -= 1;
        let (fate, is_used_up) = (cut.fate, cut.calls == 0);
        state.met += 1;
        if is_used_up {
            self.mended.notify_waiters();
        }
        Some(fate)
    }
}

/// The middleware.
pub async fn carry(State(line): State<Line>, request: Request, next: Next) -> Response {
    match line.fate(request.method().as_str(), request.uri().path()) {
        None => return next.run(request).await,
        Some(Fate::Answered(status)) => {
            let mut response = Response::new(Body::from("the device's place is taken"));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            return response;
        }
        Some(Fate::Lost(Heard::Yes)) => drop(next.run(request).await),
        Some(Fate::Lost(Heard::No)) => {}
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
