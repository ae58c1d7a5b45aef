//! One attempt on disk.

use super::journal::{self, Closed, Journal, Line};
use super::{Error, file};
use crate::blob::Digest;
use crate::id::{JobId, LeaseToken};
use crate::wire::{Lease, Report};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Written before the first physical step, so that a killed worker knows what it had begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BegunRecord {
    pub lease: Lease,
    pub phase: Phase,
    /// This machine's clock.
    pub begun_at: DateTime<Utc>,
    /// What the handler said of the device when it began.
    pub device_ref: String,
    /// What it learnt since, e.g. `run_id`.
    pub notes: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The server is being told; nothing has moved.
    Beginning,
    /// The server knows; anything may have moved.
    Begun,
}

/// A finished attempt, waiting for the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spooled {
    pub job_id: JobId,
    pub finished_at: DateTime<Utc>,
    pub report: Report,
}

/// The place of one attempt. Nothing is on disk until something is written.
#[derive(Clone, Debug)]
pub struct Entry {
    name: String,
    journal: PathBuf,
    raw: PathBuf,
    reserve: PathBuf,
    /// This process knows that the journal's place in its folder is on the disk.
    placed: Arc<AtomicBool>,
}

/// The token's digest, not the token: names of files end up in logs and tickets.
pub(super) fn name_of(job: JobId, token: LeaseToken) -> String {
    let digest = Digest::of(token.0.as_bytes()).to_string();
    format!("{job}.{}", digest.get(..12).unwrap_or_default())
}

impl Entry {
    pub(super) fn new(name: String, journal: PathBuf, raw: PathBuf, reserve: PathBuf, placed: bool) -> Self {
        Self { name, journal, raw, reserve, placed: Arc::new(AtomicBool::new(placed)) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn read(&self) -> Result<Journal, Error> {
        Journal::read(&self.journal)
    }

    /// Writes down that the server is being told. A kill does not take it away, and it does not wait for the disk: after
    /// a power cut in this very moment nothing has moved, and the server puts the job in doubt.
    pub fn write_beginning(&self, record: &BegunRecord) -> Result<(), Error> {
        journal::place(&self.journal, &begun(record))
    }

    /// Writes the beginning down, before anything moves. On a full disk it fails, and nothing may begin.
    pub fn write_begun(&self, record: &BegunRecord) -> Result<(), Error> {
        self.write(&begun(record))
    }

    /// Adds to what is known of work that has begun; a full disk gives up the reserve.
    pub fn update_begun(&self, record: &BegunRecord) -> Result<(), Error> {
        self.with_reserve(|| self.write(&begun(record)))
    }

    /// What was begun, or was about to be.
    pub fn read_begun(&self) -> Result<Option<BegunRecord>, Error> {
        Ok(self.read()?.begun)
    }

    /// Keeps `bytes` until the server has them.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let path = self.raw.join(digest.to_string());
        self.with_reserve(|| {
            file::make_folder(&self.raw)?;
            file::write_bytes(&path, bytes)
        })?;
        Ok(digest)
    }

    /// The raw files kept so far.
    pub fn blobs(&self) -> Result<Vec<Digest>, Error> {
        let names = file::names(&self.raw)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    pub fn read_blob(&self, digest: Digest) -> Result<Bytes, Error> {
        file::read_bytes(&self.raw.join(digest.to_string())).map(Bytes::from)
    }

    /// Keeps the outcome until the server has taken it. The first one written stands.
    pub fn write_report(&self, report: &Spooled) -> Result<(), Error> {
        if self.read()?.report.is_some() {
            return Ok(());
        }
        let line = Line::Report(Box::new(report.clone()));
        self.with_reserve(|| self.write(&line))
    }

    pub fn read_report(&self) -> Result<Option<Spooled>, Error> {
        Ok(self.read()?.report)
    }

    /// Forgets the attempt: it had nothing to say.
    pub fn discard(&self) -> Result<(), Error> {
        file::remove(&self.journal)?;
        file::remove_folder(&self.raw)
    }

    pub(super) fn write_closed(&self, closed: Closed) -> Result<(), Error> {
        let line = Line::Closed(closed);
        self.with_reserve(|| self.write(&line))
    }

    /// The same, without waiting for the disk: a power cut may take it, and the report is then offered once more.
    pub(super) fn place_closed(&self, closed: Closed) -> Result<(), Error> {
        let line = Line::Closed(closed);
        self.with_reserve(|| journal::place(&self.journal, &line))
    }

    fn write(&self, line: &Line) -> Result<(), Error> {
        journal::write(&self.journal, line, self.placed.load(Ordering::Relaxed))?;
        self.placed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Testimony must fit even on a full disk: gives up the reserve and tries once more.
    fn with_reserve(&self, write: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
        write().or_else(|error| {
            if std::fs::remove_file(&self.reserve).is_err() {
                return Err(error);
            }
            tracing::warn!(path = %self.journal.display(), "the disk is full; the spool's reserve was given up");
            write()
        })
    }
}

fn begun(record: &BegunRecord) -> Line {
    Line::Begun(Box::new(record.clone()))
}
