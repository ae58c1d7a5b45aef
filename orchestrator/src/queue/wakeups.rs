//! Wake-ups: at once within this process, debounced NOTIFY to the others.
//!
//! NOTIFY is sent after the commit in a transaction of its own (inside the enqueueing one it would
//! serialise all commits), at most once each [`DEBOUNCE`]. One connection of the pool listens.

use crate::store::jobs::Consequences;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CHANNEL: &str = "loopwright_jobs";
const DEBOUNCE: Duration = Duration::from_millis(20);
const RECONNECT: Duration = Duration::from_secs(2);
const LISTEN: Duration = Duration::from_secs(120);

/// Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Wakeups {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Ours: what we sent ourselves is not news.
    process: Uuid,
    topics: Mutex<HashMap<String, watch::Sender<()>>>,
    /// Topics that other processes have not been told of.
    untold: Mutex<BTreeSet<String>>,
    to_tell: Notify,
}

impl Default for Wakeups {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                process: Uuid::new_v4(),
                topics: Mutex::default(),
                untold: Mutex::default(),
                to_tell: Notify::new(),
            }),
        }
    }
}

/// The topic on which the engine waits for ended jobs.
const SETTLED: &str = "settled";
/// The topic on which workers wait for orders to stop.
const ORDERS: &str = "orders";
/// The topic on which live streams wait for sealed events.
const EVENTS: &str = "events";

impl Wakeups {
    /// `queue` got work. Call it after the commit.
    pub fn jobs(&self, queue: &str) {
        self.wake(&job_topic(queue));
    }

    /// A job ended, or something else for the engine to look at. Call it after the commit.
    pub fn settled(&self) {
        self.wake(SETTLED);
    }

    /// Somebody was asked to stop, or may go on. Call it after the commit.
    pub fn orders(&self) {
        self.wake(ORDERS);
    }

    /// Events got positions. Call it after the commit.
    pub fn events(&self) {
        self.wake(EVENTS);
    }

    /// What a command of `store::jobs` did. Call it after the commit.
    pub fn after(&self, consequences: &Consequences) {
        for queue in &consequences.queues {
            self.jobs(queue);
        }
        if !consequences.settled.is_empty() {
            self.settled();
        }
    }

    /// Changes whenever `queue` got work.
    pub fn subscribe_jobs(&self, queue: &str) -> watch::Receiver<()> {
        self.subscribe(&job_topic(queue))
    }

    /// Changes whenever a job ended.
    pub fn subscribe_settled(&self) -> watch::Receiver<()> {
        self.subscribe(SETTLED)
    }

    /// Changes whenever somebody was asked to stop, or may go on.
    pub fn subscribe_orders(&self) -> watch::Receiver<()> {
        self.subscribe(ORDERS)
    }

    /// Changes whenever events got positions.
    pub fn subscribe_events(&self) -> watch::Receiver<()> {
        self.subscribe(EVENTS)
    }

    /// Tells other processes and hears them, until `shutdown`. Without it this process still works, and so do
    /// the others, each second.
    pub async fn run(self, pool: PgPool, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.tell(&pool) => {}
            () = self.listen(&pool) => {}
        }
    }

    fn wake(&self, topic: &str) {
        self.wake_here(topic);
        lock(&self.inner.untold).insert(topic.to_owned());
        self.inner.to_tell.notify_one();
    }

    fn wake_here(&self, topic: &str) {
        if let Some(sender) = lock(&self.inner.topics).get(topic) {
            sender.send_replace(());
        }
    }

    fn subscribe(&self, topic: &str) -> watch::Receiver<()> {
        lock(&self.inner.topics).entry(topic.to_owned()).or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    async fn tell(&self, pool: &PgPool) {
        let mut told: Option<Instant> = None;
        loop {
            self.inner.to_tell.notified().await;
            // The first of a burst at once, the others together.
            if let Some(told) = told {
                tokio::time::sleep(DEBOUNCE.saturating_sub(told.elapsed())).await;
            }
            told = Some(Instant::now());
            let topics: Vec<String> = std::mem::take(&mut *lock(&self.inner.untold)).into_iter().collect();
            let messages: Vec<String> =
                topics.iter().map(|topic| format!("{} {topic}", self.inner.process)).collect();
            if let Err(error) = crate::store::jobs::notify(pool, CHANNEL, &messages).await {
                tracing::warn!(%error, "other processes were not told; they look each second anyway");
            }
        }
    }

    async fn listen(&self, pool: &PgPool) {
        loop {
            if let Err(error) = self.hear(pool).await {
                tracing::warn!(%error, "not listening to other processes; looking each second meanwhile");
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn hear(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            let Ok(message) = tokio::time::timeout(LISTEN, listener.recv()).await else {
                // Silence, or a host that is gone: a new connection tells them apart.
                return Ok(());
            };
            let message = message?;
            match message.payload().split_once(' ') {
                Some((process, topic)) if process != self.inner.process.to_string() => self.wake_here(topic),
                _ => {}
            }
        }
    }
}

fn job_topic(queue: &str) -> String {
    format!("jobs:{queue}")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is guarded is whole after every line, also when a holder panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
