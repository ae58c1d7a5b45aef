//! The truth log: JSON lines, appended and fsynced, never rewritten.
//!
//! A last line without its end (the process was killed in the middle of a write, or power went) has
//! not happened: it is cut off on opening. A broken line anywhere else is an error.

use super::{Entry, Event};
use crate::steps::Step;
use chrono::{DateTime, Utc};
use instruments::crash::{self, Moment};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How much a cut of power may take. Killing the process takes nothing either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Fsync {
    /// Nothing: one fsync an event.
    #[default]
    Every,
    /// At most [`BATCH`] events.
    Batch,
}

/// Events between two fsyncs in [`Fsync::Batch`].
pub const BATCH: u32 = 64;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{doing} {path}")]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("line {line} of {path} is broken, and it is not the last")]
    BrokenLine {
        path: PathBuf,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("line {line} of {path} has number {found}, expected {expected}")]
    Gap { path: PathBuf, line: usize, found: u64, expected: u64 },
    #[error("an event cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
}

pub struct TruthLog {
    path: PathBuf,
    file: File,
    next_seq: u64,
    fsync: Fsync,
    unsynced: u32,
}

impl TruthLog {
    /// A new log with `events` in it: complete under its name, or not there.
    pub fn create(path: &Path, at: DateTime<Utc>, events: Vec<Event>) -> Result<(), Error> {
        let mut lines = Vec::new();
        for (seq, event) in (1..).zip(events) {
            encode(&Entry { seq, at, event }, &mut lines)?;
        }
        replace_file(path, &lines).map_err(io_error("creating", path))
    }

    /// Opens for appending, and tells what has happened so far.
    pub fn open(path: &Path, fsync: Fsync) -> Result<(Self, Vec<Entry>), Error> {
        let bytes = fs::read(path).map_err(io_error("reading", path))?;
        let (entries, whole) = decode(path, &bytes)?;
        let file = OpenOptions::new().append(true).open(path).map_err(io_error("opening", path))?;
        if whole < bytes.len() {
            tracing::warn!(path = %path.display(), bytes = bytes.len() - whole, "cutting off a torn last line");
            file.set_len(whole as u64).map_err(io_error("cutting", path))?;
            file.sync_all().map_err(io_error("syncing", path))?;
        }
        let next_seq = entries.last().map_or(1, |entry| entry.seq + 1);
        Ok((Self { path: path.to_owned(), file, next_seq, fsync, unsynced: 0 }, entries))
    }

    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Written (and, as set, on disk) when this returns.
    pub fn append(&mut self, at: DateTime<Utc>, event: Event) -> Result<Entry, Error> {
        let step = Step::of_event(&event);
        pass(step, Moment::Before);
        let entry = Entry { seq: self.next_seq, at, event };
        let mut line = Vec::with_capacity(512);
        encode(&entry, &mut line)?;
        self.file.write_all(&line).map_err(io_error("writing", &self.path))?;
        self.next_seq += 1;
        self.unsynced += 1;
        pass(step, Moment::During);
        if self.fsync == Fsync::Every || self.unsynced >= BATCH {
            self.sync()?;
        }
        pass(step, Moment::After);
        Ok(entry)
    }

    pub fn sync(&mut self) -> Result<(), Error> {
        if self.unsynced > 0 {
            self.file.sync_data().map_err(io_error("syncing", &self.path))?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

fn pass(step: Option<Step>, moment: Moment) {
    if let Some(step) = step {
        crash::blocking_point(step, moment);
    }
}

/// Writes `bytes` under `path` so that a reader finds the old content or the new, never a part.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let draft = PathBuf::from(name);
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn encode(entry: &Entry, lines: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(&mut *lines, entry).map_err(Error::Encode)?;
    lines.push(b'\n');
    Ok(())
}

/// The entries, and how many bytes of whole lines they took.
fn decode(path: &Path, bytes: &[u8]) -> Result<(Vec<Entry>, usize), Error> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut whole = 0;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let is_last = whole + line.len() == bytes.len();
        let entry: Entry = match serde_json::from_slice(line) {
            Ok(entry) if line.ends_with(b"\n") => entry,
            Ok(_) => break,
            Err(_) if is_last => break,
            Err(source) => {
                return Err(Error::BrokenLine { path: path.to_owned(), line: index + 1, source });
            }
        };
        let expected = entries.last().map_or(1, |last| last.seq + 1);
        if entry.seq != expected {
            return Err(Error::Gap { path: path.to_owned(), line: index + 1, found: entry.seq, expected });
        }
        entries.push(entry);
        whole += line.len();
    }
    Ok((entries, whole))
}

fn io_error<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of_three(folder: &Path) -> PathBuf {
        let path = folder.join("truth.jsonl");
        TruthLog::create(&path, DateTime::UNIX_EPOCH, vec![Event::Restarted; 3]).unwrap();
        path
    }

    #[test]
    fn a_log_cut_at_any_byte_opens_with_what_was_whole() {
        let folder = tempfile::tempdir().unwrap();
        let whole = fs::read(log_of_three(folder.path())).unwrap();
        let line = whole.len() / 3;
        for length in 0..=whole.len() {
            let path = folder.path().join("cut.jsonl");
            fs::write(&path, &whole[..length]).unwrap();
            let (mut log, entries) = TruthLog::open(&path, Fsync::Every).unwrap();
            assert_eq!(entries.len(), length / line, "cut at {length}");
            log.append(DateTime::UNIX_EPOCH, Event::Restarted).unwrap();
            let (_, entries) = TruthLog::open(&path, Fsync::Every).unwrap();
            assert_eq!(entries.len(), length / line + 1, "appended after a cut at {length}");
        }
    }

    #[test]
    fn a_broken_line_in_the_middle_is_never_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = log_of_three(folder.path());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("\"seq\":2", "\"seq\":x", 1)).unwrap();
        assert!(matches!(TruthLog::open(&path, Fsync::Every), Err(Error::BrokenLine { line: 2, .. })));
        fs::write(&path, text.replacen("\"seq\":2", "\"seq\":4", 1)).unwrap();
        assert!(matches!(TruthLog::open(&path, Fsync::Every), Err(Error::Gap { line: 2, .. })));
    }
}
