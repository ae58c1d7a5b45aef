//! One leased job in a handler's hands.

mod begin;
mod begun;

pub use begin::NotBegun;
pub use begun::Begun;

use crate::blob::Digest;
use crate::client::{self, Backoff, Client};
use crate::failure::FailureClass;
use crate::spool::{self, BegunRecord, Entry, Spool};
use crate::wire::{HeartbeatAnswer, Lease, Progress};
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Tries at a blob before the handler is told that it cannot be had.
const GET_BLOB_TRIES: u32 = 8;

/// Authority over one job, and the means to say how it goes.
pub struct Attempt {
    lease: Lease,
    entry: Entry,
    spool: Arc<Spool>,
    /// `None` in a rehearsal.
    client: Option<Client>,
    backoff: Backoff,
    shutdown: CancellationToken,
    signals: watch::Sender<Signals>,
    progress: watch::Sender<Option<Progress>>,
    record: Mutex<Option<BegunRecord>>,
}

/// What the server has said of this attempt so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signals {
    pub stop_requested: bool,
    pub authority_lost: bool,
    /// Until then the server's last answer gives authority.
    pub held_until: Instant,
    pub lease: Duration,
}

/// Why the next physical step must not begin. The one under way goes to its end or safe point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    #[error("somebody asked to stop")]
    StopRequested,
    #[error("the server gave the authority over this job to somebody else, or took it back")]
    AuthorityLost,
    #[error("the server was not reached for so long that the lease has run out")]
    AuthorityUnconfirmed,
}

impl Attempt {
    pub(super) fn new(
        lease: Lease,
        entry: Entry,
        spool: Arc<Spool>,
        client: Option<Client>,
        backoff: Backoff,
        shutdown: CancellationToken,
    ) -> Self {
        let length = Duration::from_secs(u64::from(lease.expires_in_seconds));
        let signals = Signals {
            stop_requested: false,
            authority_lost: false,
            held_until: Instant::now() + length,
            lease: length,
        };
        Self {
            lease,
            entry,
            spool,
            client,
            backoff,
            shutdown,
            signals: watch::Sender::new(signals),
            progress: watch::Sender::new(None),
            record: Mutex::new(None),
        }
    }

    /// An attempt without a server, for the tests of handlers: `begin` always succeeds, blobs are those
    /// put before.
    pub fn rehearsal(lease: Lease, spool_dir: impl Into<std::path::PathBuf>) -> Result<Self, spool::Error> {
        let limits = spool::Limits { reserve_bytes: 0, ..spool::Limits::default() };
        let spool = Arc::new(Spool::open(spool_dir, limits)?);
        let entry = spool.entry(&lease);
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(1));
        Ok(Self::new(lease, entry, spool, None, backoff, CancellationToken::new()))
    }

    /// In a rehearsal: as if somebody had asked to stop. Does nothing to real work.
    pub fn rehearse_stop(&self) {
        if self.client.is_none() {
            self.signals.send_modify(|signals| signals.stop_requested = true);
        }
    }

    /// What was leased.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// `<job>-<attempt>`: a name for the device's own record, the same whenever it is asked for.
    pub fn operation_id(&self) -> String {
        format!("{}-{}", self.lease.job_id, self.lease.attempt)
    }

    /// Whether [`begin`](Self::begin) has succeeded.
    pub fn has_begun(&self) -> bool {
        self.record().as_ref().is_some_and(|record| record.phase == spool::Phase::Begun)
    }

    /// Adds to the begun-record, fsynced: what [`Handler::recover`](super::Handler::recover) will need to ask
    /// the device, e.g. `note("run_id", ..)`.
    pub fn note(&self, key: &str, value: impl Into<String>) -> Result<(), spool::Error> {
        let mut record = self.record();
        if let Some(record) = record.as_mut() {
            record.notes.insert(key.to_owned(), value.into());
            self.entry.update_begun(record)?;
        }
        Ok(())
    }

    /// Tells people how far it is; goes out with a heartbeat. `fraction`: 0..=1.
    pub fn progress(&self, message: impl Into<String>, fraction: Option<f64>) {
        let fraction = fraction.map(|f| f.clamp(0.0, 1.0));
        self.progress.send_replace(Some(Progress { message: message.into(), fraction }));
    }

    /// Whether the next physical step may begin.
    pub fn checkpoint(&self) -> Result<(), Halt> {
        let signals = *self.signals.borrow();
        if signals.authority_lost {
            return Err(Halt::AuthorityLost);
        }
        if signals.stop_requested {
            return Err(Halt::StopRequested);
        }
        if self.client.is_some() && Instant::now() >= signals.held_until {
            return Err(Halt::AuthorityUnconfirmed);
        }
        Ok(())
    }

    pub fn is_stop_requested(&self) -> bool {
        self.signals.borrow().stop_requested
    }

    pub fn is_authority_lost(&self) -> bool {
        self.signals.borrow().authority_lost
    }

    /// Comes back when somebody asked to stop; for `select!`.
    pub async fn stop_requested(&self) {
        self.until(|signals| signals.stop_requested).await;
    }

    /// Comes back when authority is lost; for `select!`.
    pub async fn authority_lost(&self) {
        self.until(|signals| signals.authority_lost).await;
    }

    /// Comes back as soon as [`checkpoint`](Self::checkpoint) would say no; for `select!`.
    pub async fn halted(&self) -> Halt {
        let mut signals = self.signals.subscribe();
        loop {
            if let Err(halt) = self.checkpoint() {
                return halt;
            }
            let held_until = signals.borrow_and_update().held_until;
            tokio::select! {
                _ = signals.changed() => {}
                () = tokio::time::sleep_until(held_until), if self.client.is_some() => {}
            }
        }
    }

    /// Comes back when this process is asked to end. Long repeatable work may give up; physical work that
    /// has begun is better brought to its end.
    pub async fn shutting_down(&self) {
        self.shutdown.cancelled().await;
    }

    /// Keeps `bytes` on this disk; they are with the server before the report is.
    pub async fn put_blob(&self, bytes: impl AsRef<[u8]>) -> Result<Digest, spool::Error> {
        self.entry.put_blob(bytes.as_ref())
    }

    /// Brings a blob, checked; tries again while the server is not reached, within bounds.
    pub async fn get_blob(&self, digest: Digest) -> Result<Bytes, client::Error> {
        let Some(client) = &self.client else {
            return self.entry.read_blob(digest).map_err(|error| client::Error::Refused {
                doing: "fetch a blob",
                status: 404,
                code: "blob.not_found".to_owned(),
                detail: error.to_string(),
            });
        };
        let mut backoff = self.backoff.clone();
        let mut tries = 0;
        loop {
            match client.get_blob(digest).await {
                Err(error) if error.class() == FailureClass::Transient && tries < GET_BLOB_TRIES => {
                    tries += 1;
                    tracing::warn!(%error, job = %self.lease.job_id, "a blob could not be fetched");
                    tokio::time::sleep(backoff.next_wait()).await;
                }
                result => return result,
            }
        }
    }

    async fn until(&self, claim: impl Fn(&Signals) -> bool) {
        // The sender is ours, so the channel cannot close.
        let _ = self.signals.subscribe().wait_for(claim).await;
    }

    /// The server confirmed authority in an answer to a call made at `asked_at`.
    pub(super) fn authority_confirmed(&self, answer: HeartbeatAnswer, asked_at: Instant) {
        let lease = Duration::from_secs(u64::from(answer.expires_in_seconds));
        self.signals.send_modify(|signals| {
            signals.stop_requested |= answer.stop_requested;
            signals.lease = lease;
            signals.held_until = signals.held_until.max(asked_at + lease);
        });
    }

    /// Somebody asked to stop; learnt past the heartbeats.
    pub(super) fn stop_was_requested(&self) {
        self.signals.send_modify(|signals| signals.stop_requested = true);
    }

    pub(super) fn authority_was_lost(&self) {
        self.signals.send_modify(|signals| signals.authority_lost = true);
    }

    pub(super) fn signals(&self) -> watch::Receiver<Signals> {
        self.signals.subscribe()
    }

    pub(super) fn progress_updates(&self) -> watch::Receiver<Option<Progress>> {
        self.progress.subscribe()
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    fn record(&self) -> MutexGuard<'_, Option<BegunRecord>> {
        self.record.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
