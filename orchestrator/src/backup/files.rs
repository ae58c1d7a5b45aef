//! Files that are whole or not there, and copies that are what their name says.

use anyhow::{Context, bail};
use jobs::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const CHUNK_BYTES: usize = 1 << 20;

/// Where a blob lies below the folder of a store.
pub(super) fn place(digest: Digest) -> PathBuf {
    let name = digest.to_string();
    let (first, rest) = name.split_at(2);
    Path::new(first).join(rest.get(..2).unwrap_or(rest)).join(&name)
}

/// Digest and size of a file.
pub(super) fn digest_of(path: &Path) -> anyhow::Result<(Digest, u64)> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut hasher, mut size, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_BYTES]);
    loop {
        let read = file.read(&mut chunk).with_context(|| format!("cannot read {}", path.display()))?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        size += bytes.len() as u64;
    }
    Ok((Digest(hasher.finalize().into()), size))
}

/// Copies a blob, checked against its name. Answers how many bytes; 0 when it is there already, of that size.
pub(super) fn copy_blob(from: &Path, to: &Path, digest: Digest, size_bytes: u64) -> anyhow::Result<u64> {
    let (source, target) = (from.join(place(digest)), to.join(place(digest)));
    if fs::metadata(&target).is_ok_and(|found| found.len() == size_bytes) {
        return Ok(0);
    }
    let folder = target.parent().context("a blob lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let aside = folder.join(format!(".{digest}.part"));
    fs::copy(&source, &aside)
        .with_context(|| format!("cannot copy {} to {}", source.display(), aside.display()))?;
    let (found, size) = digest_of(&aside)?;
    if found != digest || size != size_bytes {
        let _ = fs::remove_file(&aside);
        bail!("{} is not what its name says: the store is damaged there", source.display());
    }
    File::open(&aside)?.sync_all()?;
    fs::rename(&aside, &target)?;
    // The folder, and those that may have been made for it.
    for place in folder.ancestors().take_while(|place| place.starts_with(to)) {
        sync(place)?;
    }
    Ok(size)
}

/// Writes a file that its owner alone can read; whole or not at all.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let aside = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    sync(path.parent().context("a file lies in a folder")?)
}

/// Waits until a folder's entries (or a file's bytes) are on the disk.
pub(super) fn sync(path: &Path) -> anyhow::Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .with_context(|| format!("cannot sync {}", path.display()))
}
