//! What every handler is given. Nothing acknowledged lives only here.

use crate::queue::Wakeups;
use crate::store::blobs::Blobs;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;

/// Limits and waits of the HTTP door.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long authority over a job lasts without a heartbeat.
    pub lease_duration: Duration,
    /// Lease requests held open at the same time, per queue.
    pub waiting_requests: usize,
    /// Until a request must be answered; longer than the longest wait for a lease (30 s).
    pub request_timeout: Duration,
    /// Until an upload must be complete.
    pub upload_timeout: Duration,
    /// Largest JSON body.
    pub body_limit_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lease_duration: Duration::from_secs(60),
            waiting_requests: 4096,
            request_timeout: Duration::from_secs(60),
            upload_timeout: Duration::from_secs(15 * 60),
            body_limit_bytes: 16 << 20,
        }
    }
}

/// Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct AppState {
    pub pool: PgPool,
    pub blobs: Blobs,
    pub wakeups: Wakeups,
    pub config: Arc<Config>,
}

impl AppState {
    pub fn new(pool: PgPool, blobs: Blobs, wakeups: Wakeups, config: Config) -> Self {
        Self { pool, blobs, wakeups, config: Arc::new(config) }
    }
}
