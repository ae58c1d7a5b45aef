//! Asks beside the work whether to stop, so that a stop arrives at once and not with the next heartbeat, and says
//! how this worker stands towards a stop of the laboratory: that is its confirmation.
//!
//! It only ever brings a stop. A server that does not know the request leaves the worker to its heartbeats. A worker
//! that waits for work with nothing in hand hears of a stop there ([`OrdersSeen`]), and asks for no orders beside.

use super::WorkerConfig;
use super::attempt::Attempt;
use crate::client::{self, Client, LeaseAnswer};
use crate::id::StopId;
use crate::wire::{JobInHand, Orders, OrdersRequest, OrdersSeen, Standing};
use crate::work::Outcome;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// An older server is asked again after so long: it may have been replaced.
const OLDER_SERVER: Duration = Duration::from_secs(60);
/// The same answer that came sooner than this did not wait: the next request is held back.
pub(super) const TOO_SOON: Duration = Duration::from_millis(200);
/// A change of the hand is told after so long.
const HOLDS_STILL: Duration = Duration::from_millis(100);

/// What a worker holds.
#[derive(Clone, Default)]
pub(super) enum Hand {
    #[default]
    Nothing,
    Holds(Arc<Attempt>),
    /// What it held has ended, and how.
    Ended(String),
}

impl Hand {
    pub fn ended(outcome: &Outcome) -> Self {
        Hand::Ended(match outcome {
            Outcome::Succeeded { output } => format!("the {} in hand was brought to its end", output.kind()),
            Outcome::Stopped { note } => note.clone(),
            Outcome::Failed { failure } => format!("what was in hand failed: {}", failure.message),
            Outcome::Unknown { failure } => {
                format!("how far what was in hand came is not known: {}", failure.message)
            }
        })
    }
}

/// Takes an attempt out of the hand when it is over, whichever way.
pub(super) struct Held(watch::Sender<Hand>);

impl Held {
    pub fn take(hand: &watch::Sender<Hand>, attempt: &Arc<Attempt>) -> Self {
        hand.send_replace(Hand::Holds(attempt.clone()));
        Self(hand.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.send_replace(Hand::Ended("what was in hand has ended; its report is on its way".to_owned()));
    }
}

/// How a stop comes to a worker that holds nothing: with its wait for work, or asked for apart. Clones share it.
#[derive(Clone, Default)]
pub(super) struct News {
    /// A lease request is open that will hear of a stop.
    with_a_lease: watch::Sender<bool>,
    /// The last one would have heard of it.
    promised: Arc<AtomicBool>,
    stop_known: Arc<AtomicBool>,
}

/// A lease request is open, until this is dropped.
pub(super) struct Waiting<'a>(&'a News);

impl News {
    /// Work is asked for, and waited for.
    pub fn waiting(&self) -> Waiting<'_> {
        self.set(self.promised.load(Ordering::Relaxed) && !self.knows_a_stop());
        Waiting(self)
    }

    /// A lease request was answered.
    pub fn came_with(&self, answer: Result<&LeaseAnswer, &client::Error>) {
        let promised = answer.is_ok_and(|answer| answer.orders == OrdersSeen::Nothing);
        self.promised.store(promised, Ordering::Relaxed);
    }

    /// Whether a lease request is open that will hear of a stop, or is about to be: waits for work go over into each
    /// other, and end when those for orders do.
    async fn comes_with_a_lease(&self, open: &mut watch::Receiver<bool>) -> bool {
        if *open.borrow_and_update() {
            return true;
        }
        let opens = open.wait_for(|open| *open);
        self.promised.load(Ordering::Relaxed)
            && tokio::time::timeout(HOLDS_STILL, opens).await.is_ok_and(|opens| opens.is_ok())
    }

    pub fn knows_a_stop(&self) -> bool {
        self.stop_known.load(Ordering::Relaxed)
    }

    fn set(&self, with_a_lease: bool) {
        self.with_a_lease.send_if_modified(|now| std::mem::replace(now, with_a_lease) != with_a_lease);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Asks until it is dropped.
pub(super) async fn ask(
    client: Client,
    config: Arc<WorkerConfig>,
    mut hand: watch::Receiver<Hand>,
    news: News,
) {
    let mut backoff = config.backoff();
    let mut knowledge = Knowledge::default();
    let mut with_a_lease = news.with_a_lease.subscribe();
    loop {
        let holds = hand.borrow_and_update().clone();
        if knowledge.needs_nothing_for(&holds) && news.comes_with_a_lease(&mut with_a_lease).await {
            // Work that comes and goes in a moment, and a wait that goes over into the next, leave nothing to ask.
            tokio::select! {
                () = stands_differently(&mut hand) => {}
                () = stands_differently(&mut with_a_lease) => {}
            }
            continue;
        }
        let request = knowledge.request(&config, &holds);
        let asked_at = Instant::now();
        let mut asked = std::pin::pin!(client.orders(&request));
        let answer = loop {
            tokio::select! {
                answer = &mut asked => break Some(answer),
                () = stands_differently(&mut hand) => {
                    // What came and went in a moment leaves nothing to say.
                    let now = hand.borrow_and_update().clone();
                    if knowledge.request(&config, &now) != request {
                        break None;
                    }
                }
            }
        };
        // It stands differently: that is said.
        let Some(answer) = answer else { continue };
        let pause = match answer {
            Ok(orders) => {
                let is_new = knowledge.learn(&orders, &holds);
                news.stop_known.store(knowledge.stop.is_some(), Ordering::Relaxed);
                let waited = is_new || asked_at.elapsed() >= TOO_SOON;
                if waited {
                    backoff.reset();
                    continue;
                }
                backoff.next_wait()
            }
            Err(client::Error::Refused { status: 404 | 405, .. }) => OLDER_SERVER,
            Err(error) => {
                tracing::debug!(worker = %config.name, %error, "no orders; heartbeats bring a stop meanwhile");
                backoff.next_wait()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(()) = hand.changed() => {}
            Ok(()) = with_a_lease.changed() => {}
        }
    }
}

/// Returns a moment after it changed.
///
/// Taking a request back costs a connection; for work that takes less than this, asking anew would come too late.
async fn stands_differently<T>(watched: &mut watch::Receiver<T>) {
    if watched.changed().await.is_err() {
        return std::future::pending().await;
    }
    tokio::time::sleep(HOLDS_STILL).await;
}

/// What this worker knows of stops.
#[derive(Default)]
struct Knowledge {
    stop: Option<StopId>,
    /// Since it knows of that stop it held something.
    held_since: bool,
}

impl Knowledge {
    /// It holds nothing that could be stopped and has nothing to confirm.
    fn needs_nothing_for(&self, hand: &Hand) -> bool {
        self.stop.is_none() && !matches!(hand, Hand::Holds(_))
    }

    fn request(&mut self, config: &WorkerConfig, hand: &Hand) -> OrdersRequest {
        let (standing, says) = match hand {
            Hand::Holds(attempt) => {
                let progress = attempt.progress_updates().borrow().clone();
                let doing = progress.map_or_else(|| attempt.lease().work.kind().to_string(), |it| it.message);
                self.held_since |= self.stop.is_some();
                (Standing::Stopping, Some(doing))
            }
            Hand::Ended(how) if self.held_since => (Standing::Stopped, Some(how.clone())),
            Hand::Ended(_) | Hand::Nothing => (Standing::Idle, None),
        };
        let job = match hand {
            Hand::Holds(attempt) => Some(JobInHand {
                job_id: attempt.lease().job_id,
                lease_token: attempt.lease().lease_token,
                stop_known: attempt.is_stop_requested(),
            }),
            _ => None,
        };
        OrdersRequest {
            queue: config.queue.clone(),
            instrument: config.instrument.clone(),
            job,
            knows_stop: self.stop,
            standing,
            says,
            wait_seconds: config.wait_seconds,
        }
    }

    /// Passes a stop on to what was in hand when it was asked. Answers whether anything was new.
    fn learn(&mut self, orders: &Orders, hand: &Hand) -> bool {
        let stop = orders.stop.as_ref().map(|stop| stop.id);
        let mut news = stop != self.stop;
        if news {
            self.stop = stop;
            self.held_since = false;
            match &orders.stop {
                Some(stop) => {
                    tracing::warn!(stop = %stop.id, reason = stop.reason, "the laboratory is stopped")
                }
                None => tracing::info!("the laboratory goes on"),
            }
        }
        if let Hand::Holds(attempt) = hand
            && (stop.is_some() || orders.stop_job)
            && !attempt.is_stop_requested()
        {
            tracing::warn!(job = %attempt.lease().job_id, "somebody asked to stop: on to the next safe point");
            attempt.stop_was_requested();
            news = true;
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::StopOrder;

    fn config() -> WorkerConfig {
        WorkerConfig::new("mover-1", "bench", ["move.plate".to_owned()], "spool")
    }

    #[test]
    fn what_came_and_went_is_said_only_to_a_stop() {
        let mut knowledge = Knowledge::default();
        let ended = Hand::Ended("the move in hand was brought to its end".to_owned());
        let nothing = knowledge.request(&config(), &Hand::Nothing);
        assert_eq!(knowledge.request(&config(), &ended), nothing, "nobody has to be asked anew");
        let stop =
            StopOrder { id: StopId::fresh(), reason: "a spill".to_owned(), ordered_at: chrono::Utc::now() };
        assert!(knowledge.learn(&Orders { stop: Some(stop), stop_job: false }, &Hand::Nothing));
        let stopped = knowledge.request(&config(), &Hand::Nothing);
        assert_ne!(stopped, nothing, "it confirms that it knows of the stop");
        assert_eq!(knowledge.request(&config(), &ended), stopped, "it held nothing since");
        knowledge.held_since = true;
        assert_ne!(knowledge.request(&config(), &ended), stopped, "how it ended is said");
    }

    #[test]
    fn a_wait_for_work_brings_news_once_the_server_said_so_and_only_while_it_lasts() {
        let news = News::default();
        let with_a_lease = || *news.with_a_lease.borrow();
        let answer = |orders| LeaseAnswer { lease: None, orders };
        drop(news.waiting());
        assert!(!with_a_lease(), "an older server says nothing");
        news.came_with(Ok(&answer(OrdersSeen::Nothing)));
        assert!(!with_a_lease(), "nothing is asked for");
        let waiting = news.waiting();
        assert!(with_a_lease());
        drop(waiting);
        assert!(!with_a_lease());
        news.stop_known.store(true, Ordering::Relaxed);
        let waiting = news.waiting();
        assert!(!with_a_lease(), "a stop is confirmed apart");
        drop(waiting);
        news.stop_known.store(false, Ordering::Relaxed);
        for orders in [OrdersSeen::Stop, OrdersSeen::Unknown] {
            news.came_with(Ok(&answer(orders)));
            let _waiting = news.waiting();
            assert!(!with_a_lease(), "{orders:?}");
        }
    }

    #[tokio::test]
    async fn between_two_waits_for_work_nothing_is_asked() {
        let news = News::default();
        let mut open = news.with_a_lease.subscribe();
        assert!(!news.comes_with_a_lease(&mut open).await, "nothing is promised");
        news.came_with(Ok(&LeaseAnswer { lease: None, orders: OrdersSeen::Nothing }));
        // It opens while that is waited for, and stays open.
        let next = async { std::mem::forget(news.waiting()) };
        assert!(tokio::join!(news.comes_with_a_lease(&mut open), next).0);
        news.set(false);
        assert!(!news.comes_with_a_lease(&mut open).await, "none follows");
    }

    #[test]
    fn whoever_holds_something_or_knows_a_stop_asks_for_orders() {
        let mut knowledge = Knowledge::default();
        assert!(knowledge.needs_nothing_for(&Hand::Nothing));
        assert!(knowledge.needs_nothing_for(&Hand::Ended("read".to_owned())));
        knowledge.stop = Some(StopId::fresh());
        assert!(!knowledge.needs_nothing_for(&Hand::Nothing), "it confirms");
    }
}
