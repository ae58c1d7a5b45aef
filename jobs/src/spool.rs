//! What a worker must not lose, on its own disk: what it began, what it brought, what it has to say.
//!
//! ```text
//! DIR/lock                              one process a folder
//! DIR/reserve                           filler, given up when the disk is full, so that testimony still fits
//! DIR/epoch                             the life of the server's database, in which everything was offered again
//! DIR/reconciled                        the life that has confirmed it: only then is work taken
//! DIR/open/<job>.<x>.jsonl              an attempt, one line each:
//!     {"begun": ..}                     about to begin: written before the server is told
//!     {"begun": ..}                     begun: written before the first physical step, and with each note
//!     {"report": ..}                    the outcome, until the server has taken it
//!     {"closed": ..}                    what the server said of it
//! DIR/raw/<job>.<x>/<sha256>            its raw files, uploaded before the report
//! DIR/acknowledged/<job>.<x>.jsonl      taken; kept some days, can be offered again
//! DIR/refused/<job>.<x>.jsonl           refused for good; kept until somebody looks
//! DIR/unreadable/<job>.<x>.jsonl        damaged, and without a report; kept until somebody looks
//! ```
//!
//! `<x>` stands for the lease token without giving it away. A line is added and fsynced, an attempt changes place by
//! one rename, raw files are written aside, fsynced, renamed. A kill between any two of these leaves a state that
//! [`Spool::open`] understands: begun without a report means *interrupted*, half a line was never written. Two lines
//! survive a kill and may go with a power cut, so that nobody waits for the disk: that a beginning was about to be told
//! (nothing has moved), and that a report was taken (it is offered again, which changes nothing). What an agent of
//! before 2026-12 left (a folder for each attempt, a file for each line) is taken over.
//!
//! Calls block for the time of an fsync; there is no thread behind.

mod earlier;
mod entry;
mod file;
mod journal;

pub use entry::{BegunRecord, Entry, Phase, Spooled};

use crate::wire::{Lease, ReportAnswer};
use chrono::{DateTime, TimeDelta, Utc};
use journal::{Closed, Journal};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Reports not yet acknowledged; at this number no new work is begun.
    pub pending: usize,
    /// Bytes not yet acknowledged; past this no new work is begun.
    pub pending_bytes: u64,
    /// Size of the filler that makes room for testimony on a full disk.
    pub reserve_bytes: u64,
    /// Days that acknowledged entries are kept.
    pub keep_acknowledged: u32,
    /// Bytes of acknowledged entries; past this the oldest go before their days are over.
    pub acknowledged_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending: 256,
            pending_bytes: 4 << 30,
            reserve_bytes: 8 << 20,
            keep_acknowledged: 7,
            acknowledged_bytes: 4 << 30,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not {doing} {path}: check the disk and who may write there")]
    Disk {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is not what was written there; move it away and report it")]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("another process uses the spool {path}: give each worker its own folder")]
    InUse { path: PathBuf },
    #[error("the spool is full ({why}): nothing new is begun until the server has taken what waits")]
    Full { why: String },
}

/// The folder, held by this process alone.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    limits: Limits,
    _lock: File,
    epoch: Word,
    reconciled: Word,
}

/// A word in a file of this folder, which no other process writes: read once.
#[derive(Debug)]
struct Word {
    path: PathBuf,
    known: Mutex<Option<String>>,
}

impl Word {
    fn of(path: PathBuf) -> Self {
        Self { path, known: Mutex::default() }
    }

    fn get(&self) -> Result<Option<String>, Error> {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.is_none() {
            *known = file::read_json(&self.path)?;
        }
        Ok(known.clone())
    }

    fn set(&self, word: &str) -> Result<(), Error> {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Whatever is there is read again where the writing fails.
        *known = None;
        file::write_json(&self.path, &word)?;
        *known = Some(word.to_owned());
        Ok(())
    }
}

/// A report that the server has not taken.
#[derive(Clone, Debug)]
pub struct Pending {
    pub entry: Entry,
    pub report: Spooled,
    pub begun: Option<BegunRecord>,
}

const OPEN: &str = "open";
const ACKNOWLEDGED: &str = "acknowledged";
const REFUSED: &str = "refused";
const UNREADABLE: &str = "unreadable";
const RAW: &str = "raw";

impl Spool {
    /// Takes the folder `dir`, made where there is none. Refused reports become open again, once.
    pub fn open(dir: impl Into<PathBuf>, limits: Limits) -> Result<Self, Error> {
        let dir = dir.into();
        file::make_folder(&dir)?;
        for part in [OPEN, ACKNOWLEDGED, REFUSED, UNREADABLE, RAW] {
            file::make_folder(&dir.join(part))?;
        }
        let lock = file::lock(&dir.join("lock"))?;
        for part in [OPEN, ACKNOWLEDGED, REFUSED] {
            earlier::take_over(&dir.join(part), &dir.join(RAW), &dir.join(UNREADABLE))?;
        }
        let (epoch, reconciled) = (Word::of(dir.join("epoch")), Word::of(dir.join("reconciled")));
        let spool = Self { dir, limits, _lock: lock, epoch, reconciled };
        for name in spool.names(REFUSED)? {
            spool.move_entry(&name, REFUSED, OPEN)?;
        }
        spool.sort_out()?;
        // What is seen here was perhaps never flushed by whoever was killed.
        file::sync_folder(&spool.dir.join(OPEN))?;
        Ok(spool)
    }

    /// The place of one attempt.
    pub fn entry(&self, lease: &Lease) -> Entry {
        self.open_entry(entry::name_of(lease.job_id, lease.lease_token), false)
    }

    /// This very attempt was begun or reported before: a repeated answer must not begin it twice.
    pub fn knows(&self, lease: &Lease) -> bool {
        let name = entry::name_of(lease.job_id, lease.lease_token);
        self.has(&name)
    }

    /// Whether new work may be begun: its result would have a place.
    pub fn room(&self) -> Result<(), Error> {
        let names = self.names(OPEN)?;
        let pending = names.len();
        if pending >= self.limits.pending {
            return Err(Error::Full { why: format!("{pending} results wait for the server") });
        }
        let mut bytes = 0;
        for name in names {
            bytes += self.bytes_of(OPEN, &name)?;
        }
        if bytes > self.limits.pending_bytes {
            return Err(Error::Full { why: format!("{bytes} bytes wait for the server") });
        }
        file::fill_reserve(&self.dir.join("reserve"), self.limits.reserve_bytes)
            .map_err(|error| Error::Full { why: format!("no room on the disk: {error}") })
    }

    /// Attempts that were begun and have no report: what became of them is to be found out.
    pub fn interrupted(&self) -> Result<Vec<(Entry, BegunRecord)>, Error> {
        let mut found = Vec::new();
        for entry in self.open_entries()? {
            match entry.read() {
                Ok(Journal { begun: Some(record), report: None, unreadable: 0 }) => {
                    found.push((entry, record));
                }
                Ok(_) => {}
                Err(error) => tracing::error!(error = ?error, "an attempt cannot be read"),
            }
        }
        found.sort_by_key(|(_, record)| record.begun_at);
        Ok(found)
    }

    /// Attempts that were begun and of whose end nothing is known here, also those that are set aside as damaged: in a
    /// life of the database that does not know them, a person must say what became of them.
    pub fn in_hand(&self) -> Result<Vec<BegunRecord>, Error> {
        let mut records: Vec<BegunRecord> =
            self.interrupted()?.into_iter().map(|(_, record)| record).collect();
        for name in self.names(UNREADABLE)? {
            match Journal::read(&self.place(UNREADABLE, &name)) {
                Ok(journal) => records.extend(journal.begun),
                Err(error) => tracing::error!(error = ?error, "an attempt cannot be read"),
            }
        }
        Ok(records)
    }

    /// Reports that the server has not taken, oldest first. An unreadable one is logged and left alone.
    pub fn pending(&self) -> Result<Vec<Pending>, Error> {
        let mut found = Vec::new();
        for entry in self.open_entries()? {
            match entry.read() {
                Ok(Journal { begun, report: Some(report), .. }) => {
                    found.push(Pending { entry, report, begun });
                }
                Ok(_) => {}
                Err(error) => tracing::error!(error = ?error, "a spooled report is unreadable"),
            }
        }
        found.sort_by_key(|pending| (pending.report.finished_at, pending.report.job_id));
        Ok(found)
    }

    /// The server has taken the report: the entry is kept aside.
    pub fn acknowledge(&self, entry: &Entry, answer: ReportAnswer, now: DateTime<Utc>) -> Result<(), Error> {
        entry.place_closed(Closed { at: now, answer: Some(answer), refusal: None })?;
        self.rename_entry(entry.name(), OPEN, ACKNOWLEDGED)
    }

    /// The server will never take it: out of the way of the others, kept for people and for the next start.
    pub fn refuse(&self, entry: &Entry, why: &str, now: DateTime<Utc>) -> Result<(), Error> {
        entry.write_closed(Closed { at: now, answer: None, refusal: Some(why.to_owned()) })?;
        self.move_entry(entry.name(), OPEN, REFUSED)
    }

    /// Makes every acknowledged report pending again. Returns how many.
    pub fn offer_again(&self) -> Result<usize, Error> {
        let names = self.names(ACKNOWLEDGED)?;
        for name in &names {
            self.move_entry(name, ACKNOWLEDGED, OPEN)?;
        }
        Ok(names.len())
    }

    /// Drops acknowledged entries whose days are over, and the oldest while they take too much room.
    pub fn prune(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let oldest_kept = now - TimeDelta::days(i64::from(self.limits.keep_acknowledged));
        let mut kept = Vec::new();
        for name in self.names(ACKNOWLEDGED)? {
            let path = self.place(ACKNOWLEDGED, &name);
            let at = match journal::closed_at(&path)? {
                Some(at) => at,
                // A power cut took it.
                None => file::modified(&path)?,
            };
            if at < oldest_kept {
                self.forget(ACKNOWLEDGED, &name)?;
            } else {
                kept.push((at, self.bytes_of(ACKNOWLEDGED, &name)?, name));
            }
        }
        kept.sort();
        let mut bytes: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, name) in kept {
            if bytes <= self.limits.acknowledged_bytes {
                break;
            }
            self.forget(ACKNOWLEDGED, &name)?;
            bytes -= size;
        }
        Ok(())
    }

    /// The server's epoch as last written down.
    pub fn epoch(&self) -> Result<Option<String>, Error> {
        self.epoch.get()
    }

    pub fn set_epoch(&self, epoch: &str) -> Result<(), Error> {
        self.epoch.set(epoch)
    }

    /// The life of the server's database that has heard that everything was offered to it.
    pub fn reconciled(&self) -> Result<Option<String>, Error> {
        self.reconciled.get()
    }

    pub fn set_reconciled(&self, epoch: &str) -> Result<(), Error> {
        self.reconciled.set(epoch)
    }

    /// How many reports are kept that the server has taken.
    pub fn acknowledged(&self) -> Result<usize, Error> {
        Ok(self.names(ACKNOWLEDGED)?.len())
    }

    /// `placed`: its file's place in the folder is on the disk.
    fn open_entry(&self, name: String, placed: bool) -> Entry {
        let (journal, raw) = (self.place(OPEN, &name), self.dir.join(RAW).join(&name));
        Entry::new(name, journal, raw, self.dir.join("reserve"), placed)
    }

    fn open_entries(&self) -> Result<Vec<Entry>, Error> {
        Ok(self.names(OPEN)?.into_iter().map(|name| self.open_entry(name, true)).collect())
    }

    /// An attempt that says nothing was killed before it had anything to say. One with a line that cannot be read, and
    /// without a report, may have come further than it says: nothing is made up about it.
    fn sort_out(&self) -> Result<(), Error> {
        for entry in self.open_entries()? {
            match entry.read() {
                Ok(Journal { report: Some(_), .. }) => {}
                Ok(Journal { unreadable: 0, begun, .. }) => {
                    if begun.is_none() {
                        entry.discard()?;
                    }
                }
                Ok(_) => {
                    tracing::error!(
                        attempt = entry.name(),
                        "a line of it cannot be read, and it has no report: it is kept under `unreadable`, and the \
                         server puts its job in doubt when the lease runs out"
                    );
                    self.move_entry(entry.name(), OPEN, UNREADABLE)?;
                }
                Err(error) => tracing::error!(error = ?error, "an attempt cannot be read"),
            }
        }
        for name in file::names(&self.dir.join(RAW))? {
            if !self.has(&name)
                && let Err(error) = file::remove_folder(&self.dir.join(RAW).join(name))
            {
                tracing::warn!(error = ?error, "raw files that belong to nothing stay");
            }
        }
        Ok(())
    }

    /// Something is kept of the attempt `name`.
    fn has(&self, name: &str) -> bool {
        [OPEN, ACKNOWLEDGED, REFUSED, UNREADABLE].iter().any(|part| self.place(part, name).exists())
            // As an earlier agent left it.
            || self.dir.join(UNREADABLE).join(name).exists()
    }

    /// Killed in between, raw files are left that nobody names: they go at the next start.
    fn forget(&self, part: &str, name: &str) -> Result<(), Error> {
        file::remove(&self.place(part, name))?;
        file::remove_folder(&self.dir.join(RAW).join(name))
    }

    fn place(&self, part: &str, name: &str) -> PathBuf {
        self.dir.join(part).join(file::journal_of(name))
    }

    fn names(&self, part: &str) -> Result<Vec<String>, Error> {
        let names = file::names(&self.dir.join(part))?;
        Ok(names.iter().filter_map(|name| file::name_in(name)).map(str::to_owned).collect())
    }

    /// With its raw files.
    fn bytes_of(&self, part: &str, name: &str) -> Result<u64, Error> {
        Ok(file::bytes_of(&self.place(part, name))? + file::bytes_of(&self.dir.join(RAW).join(name))?)
    }

    fn move_entry(&self, name: &str, from: &str, to: &str) -> Result<(), Error> {
        self.rename_entry(name, from, to)?;
        file::sync_folder(&self.dir.join(to))?;
        file::sync_folder(&self.dir.join(from))
    }

    fn rename_entry(&self, name: &str, from: &str, to: &str) -> Result<(), Error> {
        file::rename(&self.place(from, name), &self.place(to, name))
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}
