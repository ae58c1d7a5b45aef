//! The HTTP client of the contract: one method per request of [`wire`](crate::wire), each with a timeout.
//!
//! It does not retry: what may be repeated, and for how long, is the caller's to know ([`worker`](crate::worker)
//! does it with [`Backoff`]). Errors say which of three things happened: authority was lost, the server was not
//! reached (which says nothing about authority), or it refused with a reason.
//!
//! Secrets: the bearer token is only ever in the `Authorization` header; `Debug` shows neither it nor lease tokens.

mod backoff;
mod error;
mod secret;
mod upload;

pub use backoff::Backoff;
pub(crate) use error::with_sources;
pub use error::{Error, RECONCILING};
pub use secret::{Secret, SecretFileError};
pub use upload::PART_BYTES;

use crate::blob::Digest;
use crate::id::{JobId, LeaseToken};
use crate::wire::{
    Authority, Heartbeat, HeartbeatAnswer, Lease, LeaseRequest, ORDERS_HEADER, Orders, OrdersRequest,
    OrdersSeen, Reconciled, ReconciledAnswer, Report, ReportAnswer,
};
use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The server's answers carry it; when it changes, the server was restored or failed over, and
/// acknowledged reports are offered again.
pub const EPOCH_HEADER: &str = "loopwright-epoch";

/// Largest JSON answer taken, in bytes.
const JSON_LIMIT: u64 = 64 << 20;
/// Largest blob taken, in bytes.
const BLOB_LIMIT: u64 = 4 << 30;

/// Sending so little again costs less than asking whether it is there.
const SENT_UNASKED_BYTES: usize = 64 << 10;

/// How long each sort of call may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// A whole small call; a lease request gets this on top of the time it asks the server to wait.
    pub call: Duration,
    /// A whole upload or download of a blob.
    pub blob: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(10),
            blob: Duration::from_secs(300),
        }
    }
}

/// A connection that nothing was asked on for so long is let go: a waiting worker needs one.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// What came of a lease request.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaseAnswer {
    /// `None`: there was nothing within the wait, or a stop ended it.
    pub lease: Option<Lease>,
    pub orders: OrdersSeen,
}

/// Speaks the contract to one server. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    /// Without a trailing slash.
    base: String,
    token: Secret,
    timeouts: Timeouts,
    epoch: watch::Sender<Option<String>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.inner.base).finish_non_exhaustive()
    }
}

impl Client {
    /// `base_url`: scheme, host and optional path prefix, e.g. `https://loopwright.example.org`.
    pub fn new(base_url: &str, token: Secret, timeouts: Timeouts) -> Result<Self, Error> {
        let base = reqwest::Url::parse(base_url)
            .map_err(|error| Error::Setup(format!("{base_url:?} is not a URL: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(Error::Setup(format!("{base_url:?} is neither http nor https")));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(timeouts.connect)
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("loopwright-worker/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Setup(error::with_sources(&error)))?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                base: base.as_str().trim_end_matches('/').to_owned(),
                token,
                timeouts,
                epoch: watch::Sender::new(None),
            }),
        })
    }

    /// Asks for one job and waits for it, `wait_seconds` at most.
    pub async fn lease(&self, request: &LeaseRequest) -> Result<LeaseAnswer, Error> {
        let doing = "lease a job";
        let patience = self.inner.timeouts.call + Duration::from_secs(u64::from(request.wait_seconds));
        let call = self.post("/api/v1/leases", request).timeout(patience);
        let answer = self.send(doing, call).await?;
        let orders = answer.headers().get(ORDERS_HEADER).and_then(|word| word.to_str().ok());
        let orders = OrdersSeen::of(orders);
        let lease = match answer.status() {
            StatusCode::NO_CONTENT => None,
            _ => Some(self.decode(doing, answer).await?),
        };
        Ok(LeaseAnswer { lease, orders })
    }

    /// Says that the work is about to begin. Only after its `Ok` may anything physical happen. May be
    /// repeated under the same token when the answer was lost.
    pub async fn start(&self, job: JobId, token: LeaseToken) -> Result<HeartbeatAnswer, Error> {
        let doing = "start a job";
        let body = Authority { lease_token: token };
        let call = self.small(self.post(&format!("/api/v1/jobs/{job}/start"), &body));
        let answer = self.send(doing, call).await?;
        self.decode(doing, answer).await
    }

    /// Renews the lease and brings back whether somebody asked to stop.
    pub async fn heartbeat(&self, job: JobId, beat: &Heartbeat) -> Result<HeartbeatAnswer, Error> {
        let doing = "send a heartbeat";
        let call = self.small(self.post(&format!("/api/v1/jobs/{job}/heartbeat"), beat));
        let answer = self.send(doing, call).await?;
        self.decode(doing, answer).await
    }

    /// Says how the worker stands, and waits for orders that differ from what it knows.
    pub async fn orders(&self, request: &OrdersRequest) -> Result<Orders, Error> {
        let doing = "ask for orders";
        let patience = self.inner.timeouts.call + Duration::from_secs(u64::from(request.wait_seconds));
        let answer = self.send(doing, self.post("/api/v1/orders", request).timeout(patience)).await?;
        self.decode(doing, answer).await
    }

    /// Gives a job back before it began.
    pub async fn release(&self, job: JobId, token: LeaseToken) -> Result<(), Error> {
        let body = Authority { lease_token: token };
        let call = self.small(self.post(&format!("/api/v1/jobs/{job}/release"), &body));
        self.send("release a job", call).await.map(drop)
    }

    /// Gives testimony. Taken whatever became of the lease; repeating it changes nothing.
    pub async fn report(&self, job: JobId, report: &Report) -> Result<ReportAnswer, Error> {
        let doing = "report a job";
        let call = self.small(self.post(&format!("/api/v1/jobs/{job}/report"), report));
        let answer = self.send(doing, call).await?;
        self.decode(doing, answer).await
    }

    /// Says that everything this worker has was offered to the life of the database named `epoch`.
    pub async fn reconciled(&self, epoch: &str, body: &Reconciled) -> Result<ReconciledAnswer, Error> {
        let doing = "reconcile";
        let call = self.small(self.post(&format!("/api/v1/reconciliations/{epoch}/reconciled"), body));
        let answer = self.send(doing, call).await?;
        self.decode(doing, answer).await
    }

    /// Stores `bytes` under their digest; of more than 64 KiB nothing is sent when the server has them already. More than
    /// [`PART_BYTES`] go up in parts: called again after a break, it sends what is missing.
    pub async fn put_blob(&self, bytes: Bytes) -> Result<Digest, Error> {
        let doing = "store a blob";
        let digest = Digest::of(&bytes);
        let path = format!("/api/v1/blobs/{digest}");
        if bytes.len() > SENT_UNASKED_BYTES {
            let known = self.small(self.request(Method::HEAD, &path));
            if self.send(doing, known).await.is_ok() {
                return Ok(digest);
            }
        }
        if bytes.len() > PART_BYTES {
            return self.upload(digest, bytes).await;
        }
        let call = self
            .request(Method::PUT, &path)
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .timeout(self.inner.timeouts.blob)
            .body(bytes);
        self.send(doing, call).await?;
        Ok(digest)
    }

    /// Brings the bytes named by `digest`, checked against it.
    pub async fn get_blob(&self, digest: Digest) -> Result<Bytes, Error> {
        let doing = "fetch a blob";
        let call =
            self.request(Method::GET, &format!("/api/v1/blobs/{digest}")).timeout(self.inner.timeouts.blob);
        let answer = self.send(doing, call).await?;
        let bytes = read_limited(doing, answer, BLOB_LIMIT).await?;
        if Digest::of(&bytes) != digest {
            return Err(Error::Corrupt { digest });
        }
        Ok(bytes)
    }

    /// The epoch that the server last named in [`EPOCH_HEADER`], if it ever did.
    pub fn epoch(&self) -> watch::Receiver<Option<String>> {
        self.inner.epoch.subscribe()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.inner
            .http
            .request(method, format!("{}{path}", self.inner.base))
            .bearer_auth(self.inner.token.expose())
    }

    fn post<B: Serialize>(&self, path: &str, body: &B) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    fn small(&self, call: RequestBuilder) -> RequestBuilder {
        call.timeout(self.inner.timeouts.call)
    }

    async fn send(&self, doing: &'static str, call: RequestBuilder) -> Result<Response, Error> {
        let answer = call.send().await.map_err(|source| Error::transport(doing, &source))?;
        self.remember_epoch(&answer);
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = read_limited(doing, answer, JSON_LIMIT).await.unwrap_or_default();
        Err(Error::from_answer(doing, status, &body))
    }

    async fn decode<T: DeserializeOwned>(&self, doing: &'static str, answer: Response) -> Result<T, Error> {
        let body = read_limited(doing, answer, JSON_LIMIT).await?;
        serde_json::from_slice(&body).map_err(|error| Error::Unintelligible { doing, why: error.to_string() })
    }

    fn remember_epoch(&self, answer: &Response) {
        let Some(epoch) = answer.headers().get(EPOCH_HEADER).and_then(|v| v.to_str().ok()) else {
            return;
        };
        self.inner.epoch.send_if_modified(|known| {
            let changed = known.as_deref() != Some(epoch);
            if changed {
                *known = Some(epoch.to_owned());
            }
            changed
        });
    }
}

async fn read_limited(doing: &'static str, mut answer: Response, limit: u64) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|source| Error::transport(doing, &source))? {
        if body.len() as u64 + chunk.len() as u64 > limit {
            let why = format!("the answer is larger than {limit} bytes");
            return Err(Error::Unintelligible { doing, why });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
