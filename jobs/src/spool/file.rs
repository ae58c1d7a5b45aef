//! Files that survive a kill at any line and a power cut: written aside, fsynced, renamed, folder fsynced; or lines
//! [appended](append), of which only the last can be half there.

use super::Error;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

fn disk<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |source| Error::Disk { doing, path: path.to_owned(), source }
}

/// The file with the lines of the attempt `name`.
pub(super) fn journal_of(name: &str) -> String {
    format!("{name}{JOURNAL}")
}

/// Whose lines are in `file`.
pub(super) fn name_in(file: &str) -> Option<&str> {
    file.strip_suffix(JOURNAL)
}

const JOURNAL: &str = ".jsonl";

/// Makes `path` and what is above it, and fsyncs the folder it is in; only this user may look inside.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(disk("make the folder", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Holds `path` for this process; the operating system lets go of it when the process ends.
pub(super) fn lock(path: &Path) -> Result<File, Error> {
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(disk("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(disk("lock", path)(source)),
    }
}

pub(super) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let aside = path.with_extension("tmp");
    let written = File::create(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&aside, path));
    written.map_err(|source| {
        // Half a file on a full disk would keep it full.
        let _ = fs::remove_file(&aside);
        disk("write", path)(source)
    })?;
    path.parent().map_or(Ok(()), sync_folder)
}

pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(value);
    write_bytes(path, &text.map_err(|source| Error::Damaged { path: path.to_owned(), source })?)
}

/// Adds a whole line to `path`, which only this user may read; `make`: it may be the first one there. What is left there
/// of half a line goes, and so does this one where it does not fit.
pub(super) fn append(
    path: &Path,
    line: &[u8],
    make: bool,
    sync: impl FnOnce(&File) -> std::io::Result<()>,
) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.create(make).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let appended = options.open(path).and_then(|mut file| {
        let whole = end_of_lines(&mut file)?;
        let written = file.write_all(line).and_then(|()| sync(&file));
        written.inspect_err(|_| drop(file.set_len(whole)))
    });
    appended.map_err(disk("write", path))
}

/// Cuts off what follows the last whole line. Answers where that ends.
fn end_of_lines(file: &mut File) -> std::io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    if length == 0 {
        return Ok(0);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        return Ok(length);
    }
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = u64::try_from(whole).unwrap_or(length);
    file.set_len(whole)?;
    Ok(whole)
}

/// The whole lines of `path`; none where there is no file. What follows the last newline was never written.
pub(super) fn lines(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(disk("read", path)(source)),
    };
    let whole =
        text.iter().rposition(|byte| *byte == b'\n').and_then(|end| text.get(..end)).unwrap_or_default();
    Ok(whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

/// `None` where there is no such file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(disk("read", path)(source)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|source| Error::Damaged { path: path.to_owned(), source })
}

/// `None` also where a power cut left nothing that can be read.
pub(super) fn read_placed<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    match read_json(path) {
        Err(Error::Damaged { .. }) => Ok(None),
        read => read,
    }
}

pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(disk("read", path))
}

/// Names in a folder, sorted; none where there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(disk("list", folder)(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(disk("list", folder))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// What follows the last newline but the final one, looked for in the last `most` bytes.
pub(super) fn last_line(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let read = File::open(path).and_then(|mut file| {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(text)
    });
    let text = read.map_err(disk("read", path))?;
    let text = text.strip_suffix(b"\n").unwrap_or(&text);
    Ok(text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().to_vec())
}

/// The bytes of a file, or of the files in a folder; 0 where there is none.
pub(super) fn bytes_of(path: &Path) -> Result<u64, Error> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(disk("look at", path)(source)),
    };
    if !about.is_dir() {
        return Ok(about.len());
    }
    names(path)?.iter().try_fold(0, |bytes, name| Ok(bytes + bytes_of(&path.join(name))?))
}

pub(super) fn modified(path: &Path) -> Result<DateTime<Utc>, Error> {
    let modified = fs::metadata(path).and_then(|about| about.modified()).map_err(disk("look at", path))?;
    Ok(modified.into())
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(disk("move", from))
}

pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn sync_folder(path: &Path) -> Result<(), Error> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|folder| folder.sync_all()).map_err(disk("fsync", path))
}

/// Makes sure that `path` takes `bytes` on the disk, really written: a sparse file would reserve nothing.
pub(super) fn fill_reserve(path: &Path, bytes: u64) -> std::io::Result<()> {
    if fs::metadata(path).is_ok_and(|about| about.len() == bytes) {
        return Ok(());
    }
    let mut file = File::create(path)?;
    let mut block = [0_u8; 4096];
    let mut left = bytes;
    while left > 0 {
        // Not zeros: a compressing file system would store next to nothing.
        rand::Rng::fill(&mut rand::rng(), &mut block[..]);
        let (part, _) = block.split_at(usize::try_from(left.min(4096)).unwrap_or(4096));
        if let Err(error) = file.write_all(part) {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        left -= part.len() as u64;
    }
    file.sync_all()
}
