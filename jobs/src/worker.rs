//! The loop that every worker runs: recover what a killed process left, lease, perform, report, again.
//!
//! ```text
//! start: for each interrupted attempt in the spool -> Handler::recover -> report
//! loop:  room in the spool? -> lease -> Handler::perform (heartbeats beside it) -> report on disk -> deliver
//! ```
//!
//! - Nothing physical happens before [`Attempt::begin`] is `Ok`: the beginning is on this disk and the
//!   server has confirmed it.
//! - Each outcome is on disk before the server hears of it, and is repeated until the server has taken it.
//! - In a new life of the server's database everything acknowledged is offered again, and work is taken only when
//!   that was confirmed.
//! - A stop arrives through `orders`, asked for beside the work; heartbeats bring it too.
//! - Losing authority (409) and not reaching the server are different: see [`Halt`].
//! - Every line can be the last: dropping the future of [`Worker::run`] is as good as a kill.
//!
//! It knows nothing of devices or models: that is the [`Handler`]'s.

mod attempt;
mod delivery;
mod heartbeat;
mod orders;
mod panic;
mod run;
pub mod steps;
mod testimony;

pub use attempt::{Attempt, Begun, Halt, NotBegun};
pub use run::Worker;

use crate::client;
use crate::spool;
use crate::work::Outcome;
use async_trait::async_trait;
use std::path::PathBuf;
use std::time::Duration;

/// What a worker can do. One attempt at a time.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Performs leased work.
    ///
    /// Call [`Attempt::begin`] before the first physical (or costly) step and return its error as the
    /// outcome (`not_begun.into()`) when it fails. Ask [`Attempt::checkpoint`] between physical steps. Do not block
    /// the thread: heavy work runs on a thread of its own.
    async fn perform(&self, attempt: &Attempt) -> Outcome;

    /// After a restart of this process: what became of work begun before?
    ///
    /// Ask the device; do not begin anything. `None`: nothing to say. A job that may be repeated then
    /// comes back when its lease runs out; of one that may not be, `Unknown` is reported.
    async fn recover(&self, begun: &Begun) -> Option<Outcome>;
}

/// How a worker presents itself, and what bounds it.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// For people and logs, e.g. `handler-1`.
    pub name: String,
    /// See [`Kind::queue`](crate::work::Kind::queue).
    pub queue: String,
    /// See [`Kind::capability`](crate::work::Kind::capability).
    pub capabilities: Vec<String>,
    /// The device it stands beside, if any.
    pub instrument: Option<String>,
    /// A folder for this worker alone.
    pub spool_dir: PathBuf,
    pub spool_limits: spool::Limits,
    /// How long the server may hold a lease request open, 0..=30.
    pub wait_seconds: u32,
    /// First and longest wait between tries at the server.
    pub retry_first: Duration,
    pub retry_limit: Duration,
    /// How long a shutdown waits for the server to take the last reports (they stay on disk otherwise).
    pub shutdown_grace: Duration,
}

impl WorkerConfig {
    /// With the defaults of a worker in a laboratory.
    pub fn new(
        name: impl Into<String>,
        queue: impl Into<String>,
        capabilities: impl IntoIterator<Item = impl Into<String>>,
        spool_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            name: name.into(),
            queue: queue.into(),
            capabilities: capabilities.into_iter().map(Into::into).collect(),
            instrument: None,
            spool_dir: spool_dir.into(),
            spool_limits: spool::Limits::default(),
            wait_seconds: 20,
            retry_first: Duration::from_millis(250),
            retry_limit: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(10),
        }
    }

    fn backoff(&self) -> client::Backoff {
        client::Backoff::new(self.retry_first, self.retry_limit)
    }
}

/// Why a worker ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error("the spool cannot be used")]
    Spool(#[from] spool::Error),
    #[error("this worker must be replaced by a newer one")]
    ContractTooOld(#[source] client::Error),
}
