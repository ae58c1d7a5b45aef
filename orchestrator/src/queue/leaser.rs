//! Who waits for work: requests wait in memory, and one task per queue leases for all of them.
//!
//! A thousand workers that wait cost one look a second, not a thousand. A lease whose asker is gone is given
//! back at once.

use super::Wakeups;
use crate::ids::ActorId;
use crate::metrics::counted;
use crate::steps::{self, Step};
use crate::store;
use crate::store::jobs::{self, Authority, Leased, Released, Wanted};
use ::jobs::wire::Lease;
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Polling guarantees: every wake-up may be lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A look takes a statement or two.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// Up to so many different wishes are tried at once; with more, a look at what is on offer comes first.
const WISHES_TRIED_BLINDLY: usize = 4;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("too many requests wait for work")]
    Full,
    #[error("work could not be leased: {0}")]
    Store(String),
}

/// Cheap to clone; clones share who waits.
#[derive(Clone, Debug)]
pub struct Leaser {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    hand: Hand,
    limit: usize,
    queues: Mutex<HashMap<String, Line>>,
}

/// The line before one queue.
#[derive(Clone, Debug)]
struct Line {
    requests: mpsc::UnboundedSender<Request>,
    /// Bounds the line.
    places: Arc<Semaphore>,
}

struct Request {
    wanted: Wanted,
    worker: ActorId,
    /// Or it is answered after one look.
    waits: bool,
    reply: oneshot::Sender<Result<Granted, Error>>,
    _place: OwnedSemaphorePermit,
}

impl Leaser {
    /// Leases last `duration` of real time; at most `limit` requests wait in each queue.
    pub fn new(pool: PgPool, wakeups: Wakeups, duration: Duration, limit: usize) -> Self {
        let hand = Hand { pool, wakeups, duration };
        Self { inner: Arc::new(Inner { hand, limit, queues: Mutex::default() }) }
    }

    /// The next job that fits, as soon as there is one; `None` when there was none within `wait`, or at the first look
    /// for one that does not wait.
    pub async fn lease(
        &self,
        wanted: Wanted,
        worker: ActorId,
        wait: Duration,
    ) -> Result<Option<Granted>, Error> {
        let line = self.line(&wanted.queue);
        let place = Arc::clone(&line.places).try_acquire_owned().map_err(|_| Error::Full)?;
        let (reply, mut answer) = oneshot::channel();
        let (queue, asked) = (wanted.queue.clone(), Instant::now());
        let request = Request { wanted, worker, waits: !wait.is_zero(), reply, _place: place };
        let wait = if wait.is_zero() { FIRST_LOOK } else { wait };
        line.requests.send(request).map_err(|_| Error::Store("the leaser has stopped".to_owned()))?;
        let granted = match tokio::time::timeout(wait, &mut answer).await {
            Ok(granted) => granted.ok(),
            Err(_) => {
                // What was granted in this very moment is still ours.
                answer.close();
                answer.try_recv().ok()
            }
        };
        if let Some(Ok(granted)) = &granted {
            // Both were there only since the later of them came.
            counted().leased(&queue, asked.elapsed().min(granted.dwell), granted.dwell);
        }
        granted.transpose()
    }

    fn line(&self, queue: &str) -> Line {
        let mut queues = self.inner.queues.lock().unwrap_or_else(PoisonError::into_inner);
        // A stopped task (it panicked) is replaced.
        if let Some(line) = queues.get(queue).filter(|line| !line.requests.is_closed()) {
            return line.clone();
        }
        let (requests, arriving) = mpsc::unbounded_channel();
        let line = Line { requests, places: Arc::new(Semaphore::new(self.inner.limit)) };
        queues.insert(queue.to_owned(), line.clone());
        tokio::spawn(serve(self.inner.hand.clone(), queue.to_owned(), arriving));
        line
    }
}

/// Serves the line until every [`Leaser`] is gone.
async fn serve(hand: Hand, queue: String, mut arriving: mpsc::UnboundedReceiver<Request>) {
    let mut news = hand.wakeups.subscribe_jobs(&queue);
    let mut waiting: Vec<Request> = Vec::new();
    loop {
        if waiting.is_empty() {
            match arriving.recv().await {
                Some(request) => waiting.push(request),
                None => return,
            }
        }
        while let Ok(request) = arriving.try_recv() {
            waiting.push(request);
        }
        waiting.retain(|request| !request.reply.is_closed());
        news.mark_unchanged();
        waiting = hand.give(&queue, waiting).await;
        waiting.retain(|request| request.waits);
        if waiting.is_empty() {
            continue;
        }
        tokio::select! {
            request = arriving.recv() => match request {
                Some(request) => waiting.push(request),
                None => return,
            },
            _ = news.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// What leasing needs.
#[derive(Clone, Debug)]
struct Hand {
    pool: PgPool,
    wakeups: Wakeups,
    duration: Duration,
}

impl Hand {
    /// Gives what there is to those who wait; answers who still waits, in their order.
    async fn give(&self, queue: &str, waiting: Vec<Request>) -> Vec<Request> {
        let mut alike: Vec<(Wanted, Vec<Request>)> = Vec::new();
        for request in waiting {
            match alike.iter_mut().find(|(wanted, _)| *wanted == request.wanted) {
                Some((_, requests)) => requests.push(request),
                None => alike.push((request.wanted.clone(), vec![request])),
            }
        }
        let mut left = Vec::new();
        let offered = if alike.len() > WISHES_TRIED_BLINDLY { self.on_offer(queue).await } else { None };
        for (wanted, requests) in alike {
            if offered.as_ref().is_some_and(|offered| !fits(&wanted, offered)) {
                left.extend(requests);
                continue;
            }
            match self.lease(&wanted, &requests).await {
                Ok(leased) => left.extend(self.answer(requests, leased)),
                Err(error) => {
                    tracing::warn!(%error, queue, "work could not be leased");
                    for request in requests {
                        // An asker that is gone needs no answer.
                        let _ = request.reply.send(Err(Error::Store(error.to_string())));
                    }
                }
            }
        }
        left
    }

    /// `None` when it cannot be seen: then everybody tries.
    async fn on_offer(&self, queue: &str) -> Option<Vec<(String, Option<String>)>> {
        let look = async { jobs::on_offer(&mut *self.pool.acquire().await?, queue).await };
        store::bounded(look).await.ok()
    }

    async fn lease(&self, wanted: &Wanted, requests: &[Request]) -> store::Result<Vec<Leased>> {
        let workers: Vec<ActorId> = requests.iter().map(|request| request.worker).collect();
        store::bounded(async {
            steps::before(Step::Lease).await;
            let mut conn = self.pool.acquire().await?;
            let leased = jobs::lease(&mut conn, wanted, &workers, self.duration).await?;
            if !leased.is_empty() {
                steps::after(Step::Lease).await;
            }
            Ok(leased)
        })
        .await
    }

    /// Hands out what was leased, oldest request of the same worker first; answers who got nothing.
    fn answer(&self, mut requests: Vec<Request>, leased: Vec<Leased>) -> Vec<Request> {
        for Leased { worker, lease, dwell } in leased {
            let granted = Granted { lease: Some(lease), dwell, hand: self.clone() };
            let place = requests.iter().position(|request| request.worker == worker);
            if let Some(place) = place {
                // When the asker is gone, what comes back is dropped, and with it given back.
                drop(requests.remove(place).reply.send(Ok(granted)));
            }
        }
        requests
    }
}

fn fits(wanted: &Wanted, offered: &[(String, Option<String>)]) -> bool {
    offered.iter().any(|(capability, instrument)| {
        wanted.capabilities.contains(capability) && (instrument.is_none() || *instrument == wanted.instrument)
    })
}

/// A lease on its way to its worker. Dropped before it was taken, it is given back.
#[derive(Debug)]
pub struct Granted {
    lease: Option<Lease>,
    /// How long it had been ready.
    dwell: Duration,
    hand: Hand,
}

impl Granted {
    /// The worker has it.
    pub fn take(mut self) -> Option<Lease> {
        self.lease.take()
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        let (Some(lease), Ok(runtime)) = (self.lease.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let hand = self.hand.clone();
        runtime.spawn(async move {
            if let Err(error) = give_back(&hand, &lease).await {
                tracing::warn!(%error, job = %lease.job_id, "an unwanted lease was not given back; it will run out");
            }
        });
    }
}

async fn give_back(hand: &Hand, lease: &Lease) -> store::Result<()> {
    let mut conn = hand.pool.acquire().await?;
    let released = jobs::release(&mut conn, lease.job_id, lease.lease_token).await?;
    if let Authority::Held(Released::Released(consequences)) = released {
        hand.wakeups.after(&consequences);
    }
    Ok(())
}
