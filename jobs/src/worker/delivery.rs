//! Brings what is in the spool to the server: blobs, then the report; in order; until it is taken.

use super::WorkerConfig;
use super::steps::{self, Step};
use crate::client::{self, Client};
use crate::failure::FailureClass;
use crate::spool::{self, BegunRecord, Pending, Phase, Spool};
use crate::wire::{InHand, LeaseSummary, Reconciled, Report};
use chrono::Utc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// Looking through all that was acknowledged takes longer the more it is.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// How the worker talks to its delivery task.
#[derive(Debug, Default)]
pub(super) struct Desk {
    asked: watch::Sender<u64>,
    served: watch::Sender<Served>,
    wake: Notify,
}

/// The last round that is over.
#[derive(Clone, Copy, Debug, Default)]
struct Served {
    round: u64,
    all_taken: bool,
}

impl Desk {
    /// Asks for a round now, and waits until one that began after the asking is over. Whether all was taken.
    pub(super) async fn round(&self) -> bool {
        let mut wanted = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            wanted = *asked;
        });
        self.wake.notify_one();
        let mut served = self.served.subscribe();
        match served.wait_for(|served| served.round >= wanted).await {
            Ok(served) => served.all_taken,
            Err(_) => false,
        }
    }

    /// The server answers again: no need to wait for the next try.
    pub(super) fn server_answers(&self) {
        if !self.served.borrow().all_taken {
            self.wake.notify_one();
        }
    }
}

/// Runs until it is dropped.
pub(super) async fn deliver(client: Client, spool: Arc<Spool>, desk: Arc<Desk>, config: Arc<WorkerConfig>) {
    let mut backoff = config.backoff();
    let mut epoch = client.epoch();
    let mut prune_at = Instant::now();
    loop {
        let round = *desk.asked.borrow();
        let seen = epoch.borrow_and_update().clone();
        let result = one_round(&client, &spool, &config, seen.as_deref()).await;
        if let Err(stuck) = &result {
            tracing::warn!(worker = %config.name, reason = %stuck, "results wait on this disk");
        }
        desk.served.send_replace(Served { round, all_taken: result.is_ok() });
        if Instant::now() >= prune_at {
            prune(&spool);
            prune_at = Instant::now() + PRUNE_EVERY;
        }
        let retry_at = match result {
            Ok(()) => {
                backoff.reset();
                None
            }
            Err(_) => Some(Instant::now() + backoff.next_wait()),
        };
        tokio::select! {
            () = desk.wake.notified() => {}
            () = at(retry_at) => {}
            Ok(()) = epoch.changed() => {}
        }
    }
}

fn prune(spool: &Spool) {
    if let Err(error) = spool.prune(Utc::now()) {
        tracing::warn!(error = %client::with_sources(&error), "what was acknowledged long ago stays on this disk");
    }
}

/// Everything to the server; in a new life of its database also what was acknowledged before, and then the
/// word that this was all.
async fn one_round(
    client: &Client,
    spool: &Spool,
    config: &WorkerConfig,
    epoch: Option<&str>,
) -> Result<(), Stuck> {
    if let Some(epoch) = epoch {
        offer_again_in_a_new_epoch(spool, epoch)?;
    }
    deliver_pending(client, spool, config).await?;
    match epoch {
        Some(epoch) => reconcile(client, spool, config, epoch).await,
        None => Ok(()),
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// The server was restored or failed over: what it had acknowledged may be gone there.
fn offer_again_in_a_new_epoch(spool: &Spool, seen: &str) -> Result<(), spool::Error> {
    let known = spool.epoch()?;
    if known.as_deref() == Some(seen) {
        return Ok(());
    }
    if known.is_some() {
        let offered = spool.offer_again()?;
        tracing::info!(offered, "another life of the database: acknowledged results are offered again");
    }
    // Last: a kill before this line offers them once more, which changes nothing.
    spool.set_epoch(seen)
}

/// Tells this life of the database, once, that it has been offered everything. A kill in between tells it once
/// more.
async fn reconcile(client: &Client, spool: &Spool, config: &WorkerConfig, epoch: &str) -> Result<(), Stuck> {
    if spool.reconciled()?.as_deref() == Some(epoch) {
        return Ok(());
    }
    let in_hand = spool
        .in_hand()?
        .into_iter()
        .map(|record| InHand { job_id: record.lease.job_id, lease_token: record.lease.lease_token });
    let body = Reconciled {
        instrument: config.instrument.clone(),
        offered: u32::try_from(spool.acknowledged()?).unwrap_or(u32::MAX),
        in_hand: in_hand.collect(),
    };
    match client.reconciled(epoch, &body).await {
        Ok(answer) => {
            tracing::info!(offered = body.offered, waits_for = ?answer.waits_for, "reconciled");
            Ok(spool.set_reconciled(epoch)?)
        }
        // A server from before reconciliations.
        Err(client::Error::Refused { status: 404, .. }) => Ok(()),
        Err(error) => Err(Stuck::Server(error)),
    }
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("{0}")]
    Server(#[from] client::Error),
    #[error("{}", client::with_sources(.0))]
    Spool(#[from] spool::Error),
}

async fn deliver_pending(client: &Client, spool: &Spool, config: &WorkerConfig) -> Result<(), Stuck> {
    for pending in spool.pending()? {
        match deliver_one(client, spool, config, &pending).await {
            Ok(()) => {}
            Err(Stuck::Server(error)) if error.class() == FailureClass::Permanent => {
                tracing::error!(job = %pending.report.job_id, %error, "a report was refused and is kept in the spool");
                spool.refuse(&pending.entry, &error.to_string(), Utc::now())?;
            }
            Err(stuck) => return Err(stuck),
        }
    }
    Ok(())
}

async fn deliver_one(
    client: &Client,
    spool: &Spool,
    config: &WorkerConfig,
    pending: &Pending,
) -> Result<(), Stuck> {
    let Pending { entry, report: spooled, begun } = pending;
    for digest in entry.blobs()? {
        steps::before(Step::Upload).await;
        client.put_blob(entry.read_blob(digest)?).await?;
        steps::after(Step::Upload).await;
    }
    steps::before(Step::Report).await;
    // Always: whether the server still knows the lease is only known when it has answered.
    let lease = begun.clone().map(|record| Box::new(summary(record, config)));
    let report = Report { lease, ..spooled.report.clone() };
    let answer = client.report(spooled.job_id, &report).await?;
    tracing::info!(job = %spooled.job_id, disposition = ?answer.disposition, "reported");
    steps::after(Step::Report).await;
    spool.acknowledge(entry, answer, Utc::now())?;
    steps::after(Step::Acknowledge).await;
    Ok(())
}

fn summary(record: BegunRecord, config: &WorkerConfig) -> LeaseSummary {
    LeaseSummary {
        attempt: record.lease.attempt,
        instrument: config.instrument.clone(),
        begun: record.phase == Phase::Begun,
        work: record.lease.work,
    }
}
