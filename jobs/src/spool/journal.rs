//! One attempt's own lines: what began, what was learnt, the outcome, what the server said of it. Lines are only ever
//! added, so that a kill or a power cut takes the last of them at most.

use super::entry::{BegunRecord, Phase, Spooled};
use super::{Error, file};
use crate::wire::ReportAnswer;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One line, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// Again with each note: the last one counts.
    Begun(Box<BegunRecord>),
    /// The first one counts.
    Report(Box<Spooled>),
    /// The last one counts.
    Closed(Closed),
}

impl Line {
    /// Whether it can be the first one of its file.
    fn begins(&self) -> bool {
        !matches!(self, Line::Closed(_))
    }
}

/// What the server said of a report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Closed {
    pub at: DateTime<Utc>,
    pub answer: Option<ReportAnswer>,
    pub refusal: Option<String>,
}

/// What the lines say together.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub begun: Option<BegunRecord>,
    pub report: Option<Spooled>,
    /// Whole lines that cannot be read: damaged, or a newer agent's.
    pub unreadable: usize,
}

impl Journal {
    /// Empty where there is no file. What cannot be read is passed over; since it may have said that the work had begun,
    /// a beginning beside it counts as that.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut journal = Self::default();
        for line in file::lines(path)? {
            match serde_json::from_slice(&line) {
                Ok(Line::Begun(record)) => journal.begun = Some(*record),
                Ok(Line::Report(report)) => drop(journal.report.get_or_insert(*report)),
                Ok(Line::Closed(_)) => {}
                Err(error) => {
                    journal.unreadable += 1;
                    tracing::warn!(path = %path.display(), %error, "a line of the spool cannot be read");
                }
            }
        }
        if let (1.., Some(record)) = (journal.unreadable, &mut journal.begun) {
            record.phase = Phase::Begun;
        }
        Ok(journal)
    }
}

/// More than what the server says of a report.
const CLOSED_BYTES: u64 = 16 << 10;

/// When the server took what is in `path`, by its last line alone: there may be thousands of such files, and some are
/// large. `None` where that says something else.
pub(super) fn closed_at(path: &Path) -> Result<Option<DateTime<Utc>>, Error> {
    match serde_json::from_slice(&file::last_line(path, CLOSED_BYTES)?) {
        Ok(Line::Closed(closed)) => Ok(Some(closed.at)),
        _ => Ok(None),
    }
}

/// Adds `line`; a kill does not take it away, a power cut may.
pub(super) fn place(path: &Path, line: &Line) -> Result<(), Error> {
    file::append(path, &as_text(path, line)?, line.begins(), |_| Ok(()))
}

/// Adds `line`, and comes back when it is on the disk. `placed`: the file's place in its folder is, too.
pub(super) fn write(path: &Path, line: &Line, placed: bool) -> Result<(), Error> {
    file::append(path, &as_text(path, line)?, line.begins(), std::fs::File::sync_data)?;
    if placed { Ok(()) } else { path.parent().map_or(Ok(()), file::sync_folder) }
}

fn as_text(path: &Path, line: &Line) -> Result<Vec<u8>, Error> {
    let mut text =
        serde_json::to_vec(line).map_err(|source| Error::Damaged { path: path.to_owned(), source })?;
    text.push(b'\n');
    Ok(text)
}
