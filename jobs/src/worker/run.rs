//! The loop itself.

use super::attempt::{Attempt, Begun};
use super::delivery::{self, Desk};
use super::heartbeat;
use super::orders::{self, Hand, Held, News};
use super::panic::caught;
use super::steps::{self, Step};
use super::testimony;
use super::{Handler, WorkerConfig, WorkerError};
use crate::CONTRACT_VERSION;
use crate::client::{self, Client};
use crate::spool::{BegunRecord, Entry, Phase, Spool, Spooled};
use crate::wire::{Lease, LeaseRequest, Report};
use crate::work::Outcome;
use chrono::Utc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

/// The connection of a request can be used again a moment after its answer: whoever asks anew at once opens another.
const COMES_BACK: Duration = Duration::from_millis(5);

/// A worker at its queue.
pub struct Worker {
    client: Client,
    config: Arc<WorkerConfig>,
    handler: Arc<dyn Handler>,
    shutdown: CancellationToken,
    spool: Arc<Spool>,
    desk: Arc<Desk>,
    hand: watch::Sender<Hand>,
    news: News,
}

impl Worker {
    /// Works until `shutdown`; then finishes the attempt in hand, reports, and returns.
    pub async fn run(
        client: Client,
        config: WorkerConfig,
        handler: Arc<dyn Handler>,
        shutdown: CancellationToken,
    ) -> Result<(), WorkerError> {
        let spool = Arc::new(Spool::open(&config.spool_dir, config.spool_limits)?);
        let worker = Worker {
            client,
            config: Arc::new(config),
            handler,
            shutdown,
            spool,
            desk: Arc::new(Desk::default()),
            hand: watch::Sender::default(),
            news: News::default(),
        };
        let delivery = delivery::deliver(
            worker.client.clone(),
            worker.spool.clone(),
            worker.desk.clone(),
            worker.config.clone(),
        );
        let _delivery = AbortOnDropHandle::new(tokio::spawn(delivery));
        let orders = orders::ask(
            worker.client.clone(),
            worker.config.clone(),
            worker.hand.subscribe(),
            worker.news.clone(),
        );
        let _orders = AbortOnDropHandle::new(tokio::spawn(orders));
        worker.recover_interrupted().await?;
        let ended = worker.lease_until_shutdown().await;
        let last_round = tokio::time::timeout(worker.config.shutdown_grace, worker.desk.round());
        if !last_round.await.unwrap_or(false) {
            tracing::warn!(spool = %worker.spool.dir().display(), "results stay on disk until the next start");
        }
        ended
    }

    async fn recover_interrupted(&self) -> Result<(), WorkerError> {
        for (entry, record) in self.spool.interrupted()? {
            let job = record.lease.job_id;
            tracing::warn!(%job, phase = ?record.phase, "this work was interrupted by a restart");
            steps::before(Step::Recover).await;
            let outcome = self.recovered(&entry, record.clone()).await;
            steps::during(Step::Recover).await;
            match outcome {
                Some(outcome) => {
                    self.finish(&entry, &record.lease, outcome)?;
                    steps::after(Step::Spool).await;
                    steps::after(Step::Recover).await;
                    self.desk.round().await;
                }
                None => entry.discard()?,
            }
        }
        Ok(())
    }

    /// What became of interrupted work; `None`: nothing that would be worth saying.
    async fn recovered(&self, entry: &Entry, record: BegunRecord) -> Option<Outcome> {
        if record.phase == Phase::Beginning {
            return Some(testimony::killed_before_it_began());
        }
        let lease = record.lease.clone();
        let attempt = Arc::new(self.attempt(lease.clone(), entry.clone()));
        let _held = (self.beats(&attempt), Held::take(&self.hand, &attempt));
        let begun = Begun::new(attempt, record);
        match caught(self.handler.recover(&begun)).await {
            Ok(Some(outcome)) => Some(outcome),
            Ok(None) if lease.repeatable => None,
            Ok(None) => Some(testimony::killed_in_the_middle()),
            Err(panicked) => Some(testimony::after_panic(&lease, true, &panicked)),
        }
    }

    async fn lease_until_shutdown(&self) -> Result<(), WorkerError> {
        let mut backoff = self.config.backoff();
        while !self.shutdown.is_cancelled() {
            if let Err(full) = self.spool.room() {
                tracing::error!(worker = %self.config.name, error = %client::with_sources(&full), "no new work is begun");
                self.pause(backoff.next_wait()).await;
                continue;
            }
            let asked_at = Instant::now();
            let answer = tokio::select! {
                () = self.shutdown.cancelled() => break,
                answer = self.request_lease() => answer,
            };
            match answer {
                Ok(Some(lease)) => {
                    backoff.reset();
                    self.desk.server_answers();
                    // Its lines, and those of whatever the handler does, carry these ids.
                    let span = tracing::info_span!(
                        "job",
                        job = %lease.job_id,
                        kind = %lease.work.kind(),
                        attempt = lease.attempt,
                        instrument = self.config.instrument.as_deref()
                    );
                    self.perform(lease).instrument(span).await?;
                }
                Ok(None) => {
                    self.desk.server_answers();
                    if asked_at.elapsed() < orders::TOO_SOON {
                        self.pause(backoff.next_wait()).await;
                    } else {
                        backoff.reset();
                        self.pause(COMES_BACK).await;
                    }
                }
                Err(error @ client::Error::ContractTooOld { .. }) => {
                    return Err(WorkerError::ContractTooOld(error));
                }
                Err(error @ client::Error::Reconciling { .. }) => {
                    tracing::info!(worker = %self.config.name, %error, "what was done is offered first");
                    self.desk.round().await;
                    self.pause(backoff.next_wait()).await;
                }
                Err(error) => {
                    tracing::warn!(worker = %self.config.name, %error, "no lease");
                    self.pause(backoff.next_wait()).await;
                }
            }
        }
        Ok(())
    }

    async fn request_lease(&self) -> Result<Option<Lease>, client::Error> {
        let request = LeaseRequest {
            contract_version: CONTRACT_VERSION,
            queue: self.config.queue.clone(),
            capabilities: self.config.capabilities.clone(),
            instrument: self.config.instrument.clone(),
            wait_seconds: self.config.wait_seconds,
            epoch: self.spool.reconciled().unwrap_or_default(),
            hears_orders: !self.news.knows_a_stop(),
        };
        steps::before(Step::Lease).await;
        let _waiting = self.news.waiting();
        let answer = self.client.lease(&request).await;
        self.news.came_with(answer.as_ref());
        answer.map(|answer| answer.lease)
    }

    async fn perform(&self, lease: Lease) -> Result<(), WorkerError> {
        let job = lease.job_id;
        if self.spool.knows(&lease) {
            tracing::warn!(%job, "this lease was given before; it is not begun twice");
            self.desk.round().await;
            return Ok(());
        }
        steps::after(Step::Lease).await;
        let entry = self.spool.entry(&lease);
        let attempt = Arc::new(self.attempt(lease, entry.clone()));
        if self.shutdown.is_cancelled() {
            return self.release(&attempt).await;
        }
        tracing::info!(%job, kind = %attempt.lease().work.kind(), attempt = attempt.lease().attempt, "leased");
        let outcome = {
            let _held = (self.beats(&attempt), Held::take(&self.hand, &attempt));
            steps::before(Step::Perform).await;
            let outcome = match caught(self.handler.perform(&attempt)).await {
                Ok(outcome) => outcome,
                Err(panicked) => testimony::after_panic(attempt.lease(), attempt.has_begun(), &panicked),
            };
            self.announce_if_forgotten(&attempt, &outcome).await;
            steps::after(Step::Perform).await;
            outcome
        };
        if self.shutdown.is_cancelled() && entry.read_begun()?.is_none() {
            return self.release(&attempt).await;
        }
        self.finish(&entry, attempt.lease(), outcome)?;
        steps::after(Step::Spool).await;
        self.desk.round().await;
        Ok(())
    }

    /// A job that was never started cannot have succeeded: the server is told late rather than never.
    async fn announce_if_forgotten(&self, attempt: &Attempt, outcome: &Outcome) {
        let ended = matches!(outcome, Outcome::Succeeded { .. } | Outcome::Unknown { .. });
        if ended && !attempt.has_begun() {
            tracing::error!(job = %attempt.lease().job_id, "the handler did its work without `begin`: a defect");
            let _ = attempt.begin("announced late").await;
        }
    }

    fn finish(&self, entry: &Entry, lease: &Lease, outcome: Outcome) -> Result<(), WorkerError> {
        self.hand.send_replace(Hand::ended(&outcome));
        let report = Report { lease_token: lease.lease_token, outcome, lease: None };
        let spooled = Spooled { job_id: lease.job_id, finished_at: Utc::now(), report };
        Ok(entry.write_report(&spooled)?)
    }

    /// Gives back what was not begun. When the server does not hear it, the lease runs out by itself.
    async fn release(&self, attempt: &Attempt) -> Result<(), WorkerError> {
        let lease = attempt.lease();
        steps::before(Step::Release).await;
        if let Err(error) = self.client.release(lease.job_id, lease.lease_token).await {
            tracing::warn!(job = %lease.job_id, %error, "not released; its lease will run out");
        }
        steps::after(Step::Release).await;
        Ok(attempt.entry().discard()?)
    }

    fn attempt(&self, lease: Lease, entry: Entry) -> Attempt {
        Attempt::new(
            lease,
            entry,
            self.spool.clone(),
            Some(self.client.clone()),
            self.config.backoff(),
            self.shutdown.clone(),
        )
    }

    fn beats(&self, attempt: &Arc<Attempt>) -> AbortOnDropHandle<()> {
        let beats = heartbeat::beat(self.client.clone(), attempt.clone(), self.config.backoff());
        AbortOnDropHandle::new(tokio::spawn(beats))
    }

    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
