//! Who waits for work: requests wait in memory, and one task per queue leases for all of them.
//!
//! A thousand workers that wait cost one look a second, not a thousand. A lease whose asker is gone is given
//! back at once.

use super::Wakeups;
use super::starts::{Search, Starts};
use crate::ids::ActorId;
use crate::metrics::counted;
use crate::steps::{self, Step};
use crate::store;
use crate::store::jobs::{self, Authority, Leased, Place, Released, Wanted};
use ::jobs::wire::Lease;
use sqlx::PgPool;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Polling guarantees: every wake-up may be lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A look takes a statement or two.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// Requests taken out of the line at a time.
const AT_ONCE: usize = 1024;
/// Of those who want the same so many are asked for first, and each time [`MORE_ASKED`] times as many while there is
/// something for all: one job costs no statement about a thousand workers.
const FIRST_ASKED: usize = 64;
const MORE_ASKED: usize = 8;
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
    wanted: Arc<Wanted>,
    worker: ActorId,
    /// Or it is answered after one look.
    waits: bool,
    reply: oneshot::Sender<Result<Granted, Error>>,
    _place: OwnedSemaphorePermit,
}

impl Leaser {
    /// Leases last `duration` of real time; at most `limit` requests wait in each queue.
    pub fn new(pool: PgPool, wakeups: Wakeups, duration: Duration, limit: usize) -> Self {
        let hand = Hand { pool, wakeups, duration, starts: Arc::default() };
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
        let request =
            Request { wanted: Arc::new(wanted), worker, waits: !wait.is_zero(), reply, _place: place };
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
///
/// Everybody is tried when there is news, and each second. Between, whoever comes is tried alone, and only when what
/// was seen last may hold something for it.
async fn serve(hand: Hand, queue: String, mut arriving: mpsc::UnboundedReceiver<Request>) {
    let mut news = hand.wakeups.subscribe_jobs(&queue);
    let mut waiting: Vec<Request> = Vec::new();
    let mut newcomers: Vec<Request> = Vec::new();
    let mut lanes: Option<Lanes> = None;
    let mut look_again_at = Instant::now();
    loop {
        let mut is_news = false;
        tokio::select! {
            count = arriving.recv_many(&mut newcomers, AT_ONCE) => if count == 0 { return },
            _ = news.changed(), if !waiting.is_empty() => is_news = true,
            () = tokio::time::sleep_until(look_again_at.into()), if !waiting.is_empty() => is_news = true,
        }
        waiting.retain(|request| !request.reply.is_closed());
        is_news |=
            waiting.is_empty() || news.has_changed().unwrap_or(true) || Instant::now() >= look_again_at;
        let tried = if is_news {
            news.mark_unchanged();
            look_again_at = Instant::now() + LOOK_AGAIN;
            let mut all = std::mem::take(&mut waiting);
            all.append(&mut newcomers);
            lanes = hand.lanes(&queue, &all).await;
            all
        } else {
            let is_alike = |request: &Request| waiting.iter().any(|other| other.wanted == request.wanted);
            let fits = |request: &Request| lanes.as_ref().is_none_or(|lanes| lanes.fit(&request.wanted));
            let (hopeful, hopeless): (Vec<_>, Vec<_>) = newcomers
                .drain(..)
                .partition(|request| !request.waits || (fits(request) && !is_alike(request)));
            waiting.extend(hopeless);
            hopeful
        };
        waiting.extend(hand.give(&queue, tried, lanes.as_ref()).await.into_iter().filter(|it| it.waits));
    }
}

/// Where something was ready when it was looked at: capability, and the instruments that it is addressed to.
#[derive(Debug)]
struct Lanes(HashMap<String, HashSet<Option<String>>>);

impl Lanes {
    fn new(offered: Vec<(String, Option<String>)>) -> Self {
        let mut lanes: HashMap<String, HashSet<Option<String>>> = HashMap::new();
        for (capability, instrument) in offered {
            lanes.entry(capability).or_default().insert(instrument);
        }
        Self(lanes)
    }

    fn fit(&self, wanted: &Wanted) -> bool {
        wanted
            .capabilities
            .iter()
            .filter_map(|capability| self.0.get(capability))
            .any(|instruments| instruments.contains(&None) || instruments.contains(&wanted.instrument))
    }
}

/// Those who want the same, in their order; the wishes in the order of their first.
fn alike(requests: Vec<Request>) -> Vec<Vec<Request>> {
    let mut places: HashMap<Arc<Wanted>, usize> = HashMap::new();
    let mut groups: Vec<Vec<Request>> = Vec::new();
    for request in requests {
        let place = *places.entry(request.wanted.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(request),
            None => groups.push(vec![request]),
        }
    }
    groups
}

/// What leasing needs.
#[derive(Clone, Debug)]
struct Hand {
    pool: PgPool,
    wakeups: Wakeups,
    duration: Duration,
    starts: Arc<Mutex<Starts>>,
}

impl Hand {
    /// Gives what there is to those who wait; answers who still waits, in their order. A wish for which `lanes` hold
    /// nothing is not tried.
    async fn give(&self, queue: &str, waiting: Vec<Request>, lanes: Option<&Lanes>) -> Vec<Request> {
        let mut left = Vec::new();
        for requests in alike(waiting) {
            let Some(wanted) = requests.first().map(|request| request.wanted.clone()) else { continue };
            let is_worth_it =
                lanes.is_none_or(|lanes| lanes.fit(&wanted)) || requests.iter().any(|it| !it.waits);
            if !is_worth_it {
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

    /// What is on offer, when there are many different wishes; `None` when everybody is to try, or it cannot be seen.
    async fn lanes(&self, queue: &str, waiting: &[Request]) -> Option<Lanes> {
        let wishes: HashSet<&Wanted> = waiting.iter().map(|request| request.wanted.as_ref()).collect();
        if wishes.len() <= WISHES_TRIED_BLINDLY {
            return None;
        }
        let look = async { jobs::on_offer(&mut *self.pool.acquire().await?, queue).await };
        store::bounded(look).await.ok().map(Lanes::new)
    }

    async fn lease(&self, wanted: &Arc<Wanted>, requests: &[Request]) -> store::Result<Vec<Leased>> {
        let workers: Vec<ActorId> = requests.iter().map(|request| request.worker).collect();
        let (mut leased, mut left, mut count) = (Vec::new(), workers.as_slice(), FIRST_ASKED);
        while !left.is_empty() {
            let (asked, rest) = left.split_at(count.min(left.len()));
            match self.lease_for(wanted, asked).await {
                Ok(more) => {
                    let all = more.len() == asked.len();
                    leased.extend(more);
                    if !all {
                        break;
                    }
                }
                // What is leased already is handed out; the rest is tried again with the next news.
                Err(error) if !leased.is_empty() => {
                    tracing::warn!(%error, "not everybody could be leased for");
                    break;
                }
                Err(error) => return Err(error),
            }
            (left, count) = (rest, count * MORE_ASKED);
        }
        Ok(leased)
    }

    /// Where a search did not begin at the beginning and there are fewer than `workers`, the others are looked for from
    /// there.
    async fn lease_for(&self, wanted: &Arc<Wanted>, workers: &[ActorId]) -> store::Result<Vec<Leased>> {
        let from = self.starts().of(wanted, Instant::now());
        let mut leased = self.search(wanted, workers, from).await?;
        let others = workers.get(leased.len()..).unwrap_or_default();
        if from != Place::FIRST && !others.is_empty() {
            match self.search(wanted, others, Place::FIRST).await {
                Ok(more) => leased.extend(more),
                Err(error) if leased.is_empty() => return Err(error),
                Err(error) => tracing::warn!(%error, "not everybody could be leased for"),
            }
        }
        Ok(leased)
    }

    async fn search(
        &self,
        wanted: &Arc<Wanted>,
        workers: &[ActorId],
        from: Place,
    ) -> store::Result<Vec<Leased>> {
        store::bounded(async {
            steps::before(Step::Lease).await;
            let mut conn = self.pool.acquire().await?;
            let began = Instant::now();
            let leased = jobs::lease_from(&mut conn, wanted, workers, self.duration, from).await?;
            if !leased.is_empty() {
                steps::after(Step::Lease).await;
            }
            let places: Vec<Place> = leased.iter().map(|it| it.place).collect();
            let is_full = leased.len() == workers.len();
            let search = Search { from, places: &places, is_full, took: began.elapsed() };
            self.starts().searched(wanted, &search, Instant::now());
            Ok(leased)
        })
        .await
    }

    fn starts(&self) -> MutexGuard<'_, Starts> {
        // What is guarded is whole after every line, also when a holder panicked.
        self.starts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out what was leased, oldest request of the same worker first; answers who got nothing.
    fn answer(&self, mut requests: Vec<Request>, leased: Vec<Leased>) -> Vec<Request> {
        for Leased { worker, lease, dwell, .. } in leased {
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
