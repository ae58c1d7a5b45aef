//! Brings what is in the spool to the server: blobs, then the report; in order; until it is taken.

use super::WorkerConfig;
use crate::client::{self, Client};
use crate::failure::FailureClass;
use crate::spool::{self, Entry, Spool, Spooled};
use chrono::Utc;
use std::sync::Arc;
use tokio::sync::{Notify, watch};

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
    loop {
        let round = *desk.asked.borrow();
        let result = deliver_pending(&client, &spool).await;
        if let Err(stuck) = &result {
            tracing::warn!(worker = %config.name, reason = %stuck, "results wait on this disk");
        }
        desk.served.send_replace(Served { round, all_taken: result.is_ok() });
        let retry_at = match result {
            Ok(()) => {
                backoff.reset();
                None
            }
            Err(_) => Some(tokio::time::Instant::now() + backoff.next_wait()),
        };
        tokio::select! {
            () = desk.wake.notified() => {}
            () = at(retry_at) => {}
            Ok(()) = epoch.changed() => {}
        }
        let seen = epoch.borrow_and_update().clone();
        if let Err(error) = offer_again_in_a_new_epoch(&spool, seen) {
            tracing::error!(error = %client::with_sources(&error), "the spool's epoch could not be kept");
        }
    }
}

async fn at(instant: Option<tokio::time::Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// The server was restored or failed over: what it had acknowledged may be gone there.
fn offer_again_in_a_new_epoch(spool: &Spool, seen: Option<String>) -> Result<(), spool::Error> {
    let Some(seen) = seen else { return Ok(()) };
    let known = spool.epoch()?;
    if known.as_deref() == Some(seen.as_str()) {
        return Ok(());
    }
    if known.is_some() {
        let offered = spool.offer_again()?;
        tracing::info!(offered, "the server was restored: acknowledged results are offered again");
    }
    // Last: a kill before this line offers them once more, which changes nothing.
    spool.set_epoch(&seen)
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("{0}")]
    Server(#[from] client::Error),
    #[error("{}", client::with_sources(.0))]
    Spool(#[from] spool::Error),
}

async fn deliver_pending(client: &Client, spool: &Spool) -> Result<(), Stuck> {
    for (entry, spooled) in spool.pending()? {
        match deliver_one(client, spool, &entry, &spooled).await {
            Ok(()) => {}
            Err(Stuck::Server(error)) if error.class() == FailureClass::Permanent => {
                tracing::error!(job = %spooled.job_id, %error, "a report was refused and is kept in the spool");
                spool.refuse(&entry, &error.to_string(), Utc::now())?;
            }
            Err(stuck) => return Err(stuck),
        }
    }
    spool.prune(Utc::now())?;
    Ok(())
}

async fn deliver_one(client: &Client, spool: &Spool, entry: &Entry, spooled: &Spooled) -> Result<(), Stuck> {
    for digest in entry.blobs()? {
        client.put_blob(entry.read_blob(digest)?).await?;
    }
    let answer = client.report(spooled.job_id, &spooled.report).await?;
    tracing::info!(job = %spooled.job_id, disposition = ?answer.disposition, "reported");
    spool.acknowledge(entry, answer, Utc::now())?;
    Ok(())
}
