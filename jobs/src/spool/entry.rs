//! One attempt on disk.

use super::{Error, file};
use crate::blob::Digest;
use crate::id::{JobId, LeaseToken};
use crate::wire::{Lease, Report};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

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

/// The folder of one attempt. Nothing is on disk until something is written.
#[derive(Clone, Debug)]
pub struct Entry {
    path: PathBuf,
    reserve: PathBuf,
}

const BEGINNING: &str = "beginning.json";
const BEGUN: &str = "begun.json";
const REPORT: &str = "report.json";

/// The token's digest, not the token: names of folders end up in logs and tickets.
pub(super) fn name_of(job: JobId, token: LeaseToken) -> String {
    let digest = Digest::of(token.0.as_bytes()).to_string();
    format!("{job}.{}", digest.get(..12).unwrap_or_default())
}

impl Entry {
    pub(super) fn new(path: PathBuf, reserve: PathBuf) -> Self {
        Self { path, reserve }
    }

    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Writes down that the server is being told. A kill does not take it away, and it does not wait for the disk: after
    /// a power cut in this very moment nothing has moved, and the server puts the job in doubt.
    pub fn write_beginning(&self, record: &BegunRecord) -> Result<(), Error> {
        file::place_folder(&self.path)?;
        file::place_json(&self.path.join(BEGINNING), record)
    }

    /// Writes the beginning down, before anything moves. On a full disk it fails, and nothing may begin.
    pub fn write_begun(&self, record: &BegunRecord) -> Result<(), Error> {
        file::make_folder(&self.path)?;
        file::write_json(&self.path.join(BEGUN), record)
    }

    /// Adds to what is known of work that has begun; a full disk gives up the reserve.
    pub fn update_begun(&self, record: &BegunRecord) -> Result<(), Error> {
        self.write(BEGUN, record)
    }

    /// What was begun, or was about to be.
    pub fn read_begun(&self) -> Result<Option<BegunRecord>, Error> {
        match file::read_json(&self.path.join(BEGUN))? {
            Some(record) => Ok(Some(record)),
            None => file::read_placed(&self.path.join(BEGINNING)),
        }
    }

    /// Keeps `bytes` until the server has them.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let path = self.path.join("blobs").join(digest.to_string());
        self.with_reserve(|| {
            self.make_folder()?;
            file::make_folder(&self.path.join("blobs"))?;
            file::write_bytes(&path, bytes)
        })?;
        Ok(digest)
    }

    /// The raw files kept so far.
    pub fn blobs(&self) -> Result<Vec<Digest>, Error> {
        let names = file::names(&self.path.join("blobs"))?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    pub fn read_blob(&self, digest: Digest) -> Result<Bytes, Error> {
        file::read_bytes(&self.path.join("blobs").join(digest.to_string())).map(Bytes::from)
    }

    /// Keeps the outcome until the server has taken it. The first one written stands.
    pub fn write_report(&self, report: &Spooled) -> Result<(), Error> {
        if self.has_report() {
            return Ok(());
        }
        self.write(REPORT, report)
    }

    pub fn has_report(&self) -> bool {
        self.path.join(REPORT).exists()
    }

    pub fn read_report(&self) -> Result<Option<Spooled>, Error> {
        file::read_json(&self.path.join(REPORT))
    }

    /// Forgets the attempt: it had nothing to say.
    pub fn discard(&self) -> Result<(), Error> {
        file::remove_folder(&self.path)
    }

    pub(super) fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.with_reserve(|| {
            self.make_folder()?;
            file::write_json(&self.path.join(name), value)
        })
    }

    /// What the server has said of the report stays beside it; a power cut may take it, and the report is then offered
    /// once more.
    pub(super) fn place<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.with_reserve(|| file::place_json(&self.path.join(name), value))
    }

    /// Where work has begun, the folder is on the disk already.
    fn make_folder(&self) -> Result<(), Error> {
        if self.path.join(BEGUN).exists() { Ok(()) } else { file::make_folder(&self.path) }
    }

    /// Testimony must fit even on a full disk: gives up the reserve and tries once more.
    fn with_reserve(&self, write: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
        write().or_else(|error| {
            if std::fs::remove_file(&self.reserve).is_err() {
                return Err(error);
            }
            tracing::warn!(path = %self.path.display(), "the disk is full; the spool's reserve was given up");
            write()
        })
    }
}
