//! What every handler is given. Nothing acknowledged lives only here.

use crate::channels::{Key, Rules};
use crate::notifications::Settings;
use crate::queue::{Leaser, Wakeups};
use crate::store::blobs::Blobs;
use crate::store::epoch;
use sqlx::{PgConnection, PgPool};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    /// A proxy in front ends TLS: session cookies are for TLS only, and it says where a request came from.
    pub behind_proxy: bool,
    /// Where links lead.
    pub notifications: Settings,
    /// Where webhooks may lead.
    pub webhook_rules: Rules,
    /// Seals channels' secrets; the same in every replica, and in the engine that opens them.
    pub channel_key: Key,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lease_duration: Duration::from_secs(60),
            waiting_requests: 4096,
            request_timeout: Duration::from_secs(60),
            upload_timeout: Duration::from_secs(15 * 60),
            body_limit_bytes: 16 << 20,
            behind_proxy: false,
            notifications: Settings::default(),
            webhook_rules: Rules::default(),
            channel_key: Key::ephemeral(),
        }
    }
}

/// Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct AppState {
    pub pool: PgPool,
    pub blobs: Blobs,
    pub wakeups: Wakeups,
    pub leaser: Leaser,
    pub config: Arc<Config>,
    epoch: Arc<Mutex<Option<(String, Instant)>>>,
}

/// How long we believe that the database is still the one it was.
const EPOCH_HOLDS: Duration = Duration::from_secs(10);

impl AppState {
    pub fn new(pool: PgPool, blobs: Blobs, wakeups: Wakeups, config: Config) -> Self {
        let leaser =
            Leaser::new(pool.clone(), wakeups.clone(), config.lease_duration, config.waiting_requests);
        Self { pool, blobs, wakeups, leaser, config: Arc::new(config), epoch: Arc::default() }
    }

    /// Which life of the database answers; told to every worker.
    pub(super) async fn epoch(&self, conn: &mut PgConnection) -> crate::store::Result<String> {
        let known = self.epoch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some((epoch, seen)) if seen.elapsed() < EPOCH_HOLDS => Ok(epoch),
            _ => {
                let epoch = epoch::read(conn).await?;
                let seen = Some((epoch.clone(), Instant::now()));
                *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = seen;
                Ok(epoch)
            }
        }
    }
}
