//! What every handler is given. Nothing acknowledged lives only here.

use super::known::Known;
use crate::channels::{Key, Rules};
use crate::metrics::Scraper;
use crate::notifications::Settings;
use crate::people::sign_on::Provider;
use crate::queue::{Leaser, OrderBook, Reporter, Signs, Starter, Wakeups};
use crate::store::blobs::Blobs;
use crate::store::epoch;
use sqlx::{PgConnection, PgPool};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Each holds a thread while it compresses, and a connection while it reads.
const CRATES: usize = 2;

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
    /// The laboratory's identity provider, where people sign on by one.
    pub sign_on: Option<Provider>,
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
            sign_on: None,
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
    pub reporter: Reporter,
    pub starter: Starter,
    pub orders: OrderBook,
    pub signs: Signs,
    pub config: Arc<Config>,
    pub scraper: Scraper,
    /// Bounds the requests that wait for orders.
    pub orders_places: Arc<Semaphore>,
    /// Bounds the research crates that are being sent.
    pub crate_places: Arc<Semaphore>,
    pub(super) known: Arc<Known>,
    epoch: Arc<Mutex<Option<(String, Instant)>>>,
}

/// How long we tell workers that the database is still the one it was. What is given to them does not hang on
/// this: the statement that leases asks the database itself.
const EPOCH_HOLDS: Duration = Duration::from_secs(1);

impl AppState {
    pub fn new(pool: PgPool, blobs: Blobs, wakeups: Wakeups, config: Config) -> Self {
        let leaser =
            Leaser::new(pool.clone(), wakeups.clone(), config.lease_duration, config.waiting_requests);
        let reporter = Reporter::new(pool.clone(), wakeups.clone());
        let starter = Starter::new(pool.clone(), config.lease_duration);
        let orders = OrderBook::new(pool.clone(), wakeups.clone());
        let orders_places = Arc::new(Semaphore::new(config.waiting_requests));
        let crate_places = Arc::new(Semaphore::new(CRATES));
        let scraper = Scraper::new(pool.clone());
        let signs = Signs::new(pool.clone());
        let config = Arc::new(config);
        Self {
            pool,
            blobs,
            wakeups,
            leaser,
            reporter,
            starter,
            orders,
            signs,
            config,
            orders_places,
            crate_places,
            known: Arc::default(),
            scraper,
            epoch: Arc::default(),
        }
    }

    /// With the queue's tasks on connections of their own ([`crate::store::ConnectOptions::of_the_queue`]).
    pub fn with_queue_on(self, pool: PgPool) -> Self {
        let Config { lease_duration, waiting_requests, .. } = *self.config;
        Self {
            leaser: Leaser::new(pool.clone(), self.wakeups.clone(), lease_duration, waiting_requests),
            reporter: Reporter::new(pool.clone(), self.wakeups.clone()),
            starter: Starter::new(pool.clone(), lease_duration),
            scraper: self.scraper.counting("queue", pool),
            ..self
        }
    }

    /// Which life of the database answers, if it was asked a moment ago.
    pub(super) fn known_epoch(&self) -> Option<String> {
        let known = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(_, seen)| seen.elapsed() < EPOCH_HOLDS).map(|(epoch, _)| epoch.clone())
    }

    /// Which life of the database answers; told to every worker.
    pub(super) async fn epoch(&self, conn: &mut PgConnection) -> crate::store::Result<String> {
        match self.known_epoch() {
            Some(epoch) => Ok(epoch),
            None => {
                let epoch = epoch::read(conn).await?;
                self.saw_epoch(&epoch);
                Ok(epoch)
            }
        }
    }

    /// A handler has just read it.
    pub(super) fn saw_epoch(&self, epoch: &str) {
        let seen = Some((epoch.to_owned(), Instant::now()));
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// What was read last.
    pub(super) fn last_epoch(&self) -> Option<String> {
        let known = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().map(|(epoch, _)| epoch.clone())
    }
}
