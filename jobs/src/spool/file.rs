//! Files that survive a kill at any line and a power cut: written aside, fsynced, renamed, folder fsynced. What a kill
//! must not tear and a power cut may take is [placed](place_json).

use super::Error;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

fn disk<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |source| Error::Disk { doing, path: path.to_owned(), source }
}

/// Makes `path` and what is above it, and fsyncs the folder it is in; only this user may look inside.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    place_folder(path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// The same; a power cut may take it away again.
pub(super) fn place_folder(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(disk("make the folder", path))
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
    put_in_place(path, bytes, File::sync_all)?;
    path.parent().map_or(Ok(()), sync_folder)
}

pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    write_bytes(path, &as_json(path, value)?)
}

/// Whole or not there after a kill, without waiting for the disk; after a power cut also absent or empty.
pub(super) fn place_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    put_in_place(path, &as_json(path, value)?, |_| Ok(()))
}

fn as_json<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec_pretty(value).map_err(|source| Error::Damaged { path: path.to_owned(), source })
}

fn put_in_place(
    path: &Path,
    bytes: &[u8],
    sync: impl FnOnce(&File) -> std::io::Result<()>,
) -> Result<(), Error> {
    let aside = path.with_extension("tmp");
    let written = File::create(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| sync(&file)))
        .and_then(|()| fs::rename(&aside, path));
    written.map_err(|source| {
        // Half a file on a full disk would keep it full.
        let _ = fs::remove_file(&aside);
        disk("write", path)(source)
    })
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

/// What was [placed](place_json): `None` also where a power cut left nothing that can be read.
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

/// How many names a folder has, and the bytes of all that is under it.
pub(super) fn size_of(folder: &Path) -> Result<(usize, u64), Error> {
    let names = names(folder)?;
    let mut bytes = 0;
    for name in &names {
        let path = folder.join(name);
        let about = fs::metadata(&path).map_err(disk("look at", &path))?;
        bytes += if about.is_dir() { size_of(&path)?.1 } else { about.len() };
    }
    Ok((names.len(), bytes))
}

pub(super) fn modified(path: &Path) -> Result<DateTime<Utc>, Error> {
    let modified = fs::metadata(path).and_then(|about| about.modified()).map_err(disk("look at", path))?;
    Ok(modified.into())
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
