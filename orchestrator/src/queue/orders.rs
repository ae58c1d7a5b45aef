//! What workers are asked to stop: one task looks each second, and whenever it is woken, for all who wait to hear it.
//!
//! A thousand workers that wait cost one look a second. What is seen here is only the reason to ask the database for one
//! worker: the database decides what that worker hears.

use super::Wakeups;
use crate::store;
use crate::store::laboratory::{self, Asked};
use ::jobs::wire::{OrdersRequest, OrdersSeen};
use sqlx::PgPool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Every wake-up may be lost: a stop is known after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What was seen longer ago is not relied on: looks fail, or nobody waited.
const HOLDS: Duration = Duration::from_secs(2);

/// Cheap to clone; clones share the looks.
#[derive(Clone, Debug)]
pub struct OrderBook {
    pool: PgPool,
    wakeups: Wakeups,
    looks: Arc<Mutex<Option<Looks>>>,
}

/// The looks of one task.
#[derive(Clone, Debug)]
struct Looks {
    seen: watch::Receiver<Seen>,
    /// Somebody cannot wait for the next look.
    hurry: Arc<Notify>,
}

/// What the last look saw, and when; nothing before the first.
#[derive(Debug, Default)]
struct Seen(Option<(Asked, Instant)>);

impl Seen {
    fn now(&self) -> Option<&Asked> {
        self.0.as_ref().filter(|(_, at)| at.elapsed() < HOLDS).map(|(asked, _)| asked)
    }
}

/// What is seen for one worker.
#[derive(Debug)]
pub struct Watching(watch::Receiver<Seen>);

impl OrderBook {
    pub fn new(pool: PgPool, wakeups: Wakeups) -> Self {
        Self { pool, wakeups, looks: Arc::default() }
    }

    /// Looks as long as what this answers is kept.
    pub fn watch(&self) -> Watching {
        let looks = self.looks();
        if looks.seen.borrow().now().is_none() {
            looks.hurry.notify_one();
        }
        Watching(looks.seen)
    }

    fn looks(&self) -> Looks {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        // A stopped task (it panicked) is replaced.
        if let Some(looks) = looks.as_ref().filter(|looks| looks.seen.has_changed().is_ok()) {
            return looks.clone();
        }
        let (sender, seen) = watch::channel(Seen::default());
        let fresh = Looks { seen, hurry: Arc::default() };
        *looks = Some(fresh.clone());
        tokio::spawn(look(self.pool.clone(), self.wakeups.clone(), sender, fresh.hurry.clone()));
        fresh
    }
}

impl Watching {
    /// Whether a look of the last two seconds saw nothing that the worker of `request` is to stop, and it knows of none.
    pub fn sees_nothing_for(&self, request: &OrdersRequest) -> bool {
        self.0.borrow().now().is_some_and(|asked| asked.is_nothing_for(request))
    }

    /// What there is for a worker of `queue` that holds nothing and knows of no stop, by a look of the last two seconds.
    pub fn sees(&self, queue: &str) -> OrdersSeen {
        match self.0.borrow().now() {
            None => OrdersSeen::Unknown,
            Some(asked) if asked.stops(queue) => OrdersSeen::Stop,
            Some(_) => OrdersSeen::Nothing,
        }
    }

    /// Returns when work of `queue` stops with the laboratory; until then it waits.
    pub async fn stop(&mut self, queue: &str) {
        self.until(|asked| asked.stops(queue)).await;
    }

    /// Returns when there may be something that the worker of `request` does not know; until then it waits.
    pub async fn news(&mut self, request: &OrdersRequest) {
        self.until(|asked| asked.is_news(request)).await;
    }

    async fn until(&mut self, claim: impl Fn(&Asked) -> bool) {
        loop {
            if self.0.borrow_and_update().now().is_some_and(&claim) {
                return;
            }
            if self.0.changed().await.is_err() {
                // The task was stopped: whoever asks next starts another.
                return std::future::pending().await;
            }
        }
    }
}

/// Looks while anybody watches, until the [`OrderBook`] is gone. Tells only what changed.
async fn look(pool: PgPool, wakeups: Wakeups, seen: watch::Sender<Seen>, hurry: Arc<Notify>) {
    let mut news = wakeups.subscribe_orders();
    while !seen.is_closed() {
        news.mark_unchanged();
        // The book keeps one receiver.
        if seen.receiver_count() > 1 {
            let look = async { laboratory::asked(&mut *pool.acquire().await?).await };
            match store::bounded(look).await {
                Ok(asked) => {
                    seen.send_if_modified(|seen| {
                        let is_known = seen.now() == Some(&asked);
                        seen.0 = Some((asked, Instant::now()));
                        !is_known
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "what is asked to stop could not be seen; heartbeats say it too")
                }
            }
        }
        tokio::select! {
            _ = news.changed() => {}
            () = hurry.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}
