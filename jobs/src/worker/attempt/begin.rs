//! The gate before the first physical step: on this disk, then confirmed by the server, then begun.

use super::{Attempt, Halt};
use crate::client;
use crate::failure::{Failure, FailureClass};
use crate::spool::{self, BegunRecord, Phase};
use crate::work::Outcome;
use crate::worker::steps::{self, Step};
use chrono::Utc;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Nothing was begun, and nothing may be. Its [`Outcome`] says so.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    #[error(transparent)]
    Halted(#[from] Halt),
    #[error("this worker is shutting down")]
    ShuttingDown,
    #[error("the beginning could not be written down, so that a kill would have left the work in doubt")]
    Spool(#[from] spool::Error),
    #[error("the server did not confirm the start while the lease was held")]
    Unconfirmed(#[source] client::Error),
    #[error("the server refused the start")]
    Refused(#[source] client::Error),
}

impl NotBegun {
    fn code(&self) -> &'static str {
        match self {
            NotBegun::Halted(_) | NotBegun::ShuttingDown => "worker.not_begun",
            NotBegun::Spool(_) => "worker.spool_unusable",
            NotBegun::Unconfirmed(_) => "worker.start_unconfirmed",
            NotBegun::Refused(_) => "worker.start_refused",
        }
    }
}

impl From<NotBegun> for Outcome {
    fn from(reason: NotBegun) -> Self {
        if let NotBegun::Halted(Halt::StopRequested) = reason {
            return Outcome::Stopped { note: "stopped before anything was begun".to_owned() };
        }
        let message = format!("Nothing was begun: {}.", client::with_sources(&reason));
        Outcome::Failed { failure: Failure::new(FailureClass::Transient, reason.code(), message) }
    }
}

impl Attempt {
    /// Call it before the first physical (or costly) step; do nothing unless it is `Ok`.
    ///
    /// `device_ref`: what to ask the device for after a kill, e.g. the operation's id. A second call is `Ok`.
    pub async fn begin(&self, device_ref: impl Into<String>) -> Result<(), NotBegun> {
        if self.has_begun() {
            return Ok(());
        }
        if self.shutdown.is_cancelled() {
            return Err(NotBegun::ShuttingDown);
        }
        steps::before(Step::Begin).await;
        self.checkpoint()?;
        self.spool.room()?;
        let mut record = BegunRecord {
            lease: self.lease.clone(),
            phase: Phase::Beginning,
            begun_at: Utc::now(),
            device_ref: device_ref.into(),
            notes: BTreeMap::new(),
        };
        self.entry.write_beginning(&record)?;
        steps::during(Step::Begin).await;
        self.confirm_start().await?;
        steps::after(Step::ConfirmStart).await;
        record.phase = Phase::Begun;
        self.entry.write_begun(&record)?;
        steps::after(Step::Begin).await;
        // The writing took time; only now is it known that the lease is still held.
        self.checkpoint()?;
        *self.record() = Some(record);
        Ok(())
    }

    /// Repeats the start until the server answers, for as long as the lease would have lasted.
    async fn confirm_start(&self) -> Result<(), NotBegun> {
        let Some(client) = &self.client else {
            return Ok(());
        };
        let patience = Duration::from_secs(u64::from(self.lease.expires_in_seconds));
        let give_up_at = Instant::now() + patience;
        let mut backoff = self.backoff.clone();
        loop {
            let asked_at = Instant::now();
            let error = match client.start(self.lease.job_id, self.lease.lease_token).await {
                Ok(answer) => {
                    self.authority_confirmed(answer, asked_at);
                    return Ok(self.checkpoint()?);
                }
                Err(client::Error::AuthorityLost { .. }) => {
                    self.authority_was_lost();
                    return Err(Halt::AuthorityLost.into());
                }
                Err(error) => error,
            };
            if error.class() != FailureClass::Transient {
                return Err(NotBegun::Refused(error));
            }
            let wait = backoff.next_wait();
            if Instant::now() + wait >= give_up_at {
                return Err(NotBegun::Unconfirmed(error));
            }
            tracing::warn!(%error, job = %self.lease.job_id, "the start is not confirmed yet");
            tokio::time::sleep(wait).await;
            if self.is_authority_lost() {
                return Err(Halt::AuthorityLost.into());
            }
        }
    }
}
