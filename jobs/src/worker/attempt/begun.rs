//! Work that an earlier life of this process had begun.

use super::Attempt;
use crate::blob::Digest;
use crate::spool::{self, BegunRecord};
use crate::wire::Lease;

/// What is known of it. Ask the device what happened; begin nothing.
pub struct Begun {
    attempt: std::sync::Arc<Attempt>,
    record: BegunRecord,
}

impl Begun {
    /// For the tests of handlers: as if a process had begun `attempt` and was killed.
    pub fn rehearsal(attempt: Attempt) -> Option<Self> {
        let record = attempt.record().clone()?;
        Some(Self { attempt: std::sync::Arc::new(attempt), record })
    }

    pub(in crate::worker) fn new(attempt: std::sync::Arc<Attempt>, record: BegunRecord) -> Self {
        *attempt.record() = Some(record.clone());
        Self { attempt, record }
    }

    /// What was leased, with the token under which its report will go.
    pub fn lease(&self) -> &Lease {
        &self.record.lease
    }

    /// As given to [`Attempt::begin`].
    pub fn device_ref(&self) -> &str {
        &self.record.device_ref
    }

    /// As given to [`Attempt::note`].
    pub fn note(&self, key: &str) -> Option<&str> {
        self.record.notes.get(key).map(String::as_str)
    }

    /// Keeps `bytes` for the report, as [`Attempt::put_blob`] does.
    pub async fn put_blob(&self, bytes: impl AsRef<[u8]>) -> Result<Digest, spool::Error> {
        self.attempt.put_blob(bytes).await
    }

    /// The attempt it continues: for progress, stop requests and a device run that is still under way.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }
}
