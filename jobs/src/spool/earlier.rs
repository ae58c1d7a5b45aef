//! What an agent of before 2026-12 left: a folder for each attempt, with a file for each thing.

use super::entry::Spooled;
use super::journal::{self, Closed, Line};
use super::{BegunRecord, Error, file};
use std::path::Path;

/// Makes each folder of an attempt in `part` the lines of a file, and moves its raw files below `raw`; one with a file
/// that is damaged is kept as it is below `unreadable`. Killed at any line, the next start goes on.
pub(super) fn take_over(part: &Path, raw: &Path, unreadable: &Path) -> Result<(), Error> {
    for name in file::names(part)? {
        let folder = part.join(&name);
        if !folder.is_dir() {
            continue;
        }
        let lines = match lines_of(&folder) {
            Ok(lines) => lines,
            Err(Error::Damaged { path, source }) => {
                tracing::error!(attempt = name, path = %path.display(), %source, "it is kept under `unreadable`");
                file::rename(&folder, &unreadable.join(&name))?;
                file::sync_folder(unreadable)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let blobs = folder.join("blobs");
        if blobs.exists() {
            file::rename(&blobs, &raw.join(&name))?;
            file::sync_folder(raw)?;
        }
        let path = part.join(file::journal_of(&name));
        // Where it is there, a take-over was killed after this line, and the folder may be half gone.
        if !path.exists() {
            let aside = path.with_extension("tmp");
            file::remove(&aside)?;
            for line in &lines {
                journal::write(&aside, line, false)?;
            }
            if aside.exists() {
                file::rename(&aside, &path)?;
                file::sync_folder(part)?;
            }
        }
        file::remove_folder(&folder)?;
        tracing::info!(attempt = name, "taken over from an earlier version's spool");
    }
    Ok(())
}

fn lines_of(folder: &Path) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    let begun: Option<Box<BegunRecord>> = match file::read_json(&folder.join("begun.json"))? {
        Some(record) => Some(record),
        None => file::read_placed(&folder.join("beginning.json"))?,
    };
    lines.extend(begun.map(Line::Begun));
    let report: Option<Box<Spooled>> = file::read_json(&folder.join("report.json"))?;
    lines.extend(report.map(Line::Report));
    let closed: Option<Closed> = file::read_placed(&folder.join("closed.json"))?;
    lines.extend(closed.map(Line::Closed));
    Ok(lines)
}
