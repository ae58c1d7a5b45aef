//! Whether a backup is whole: every file and every blob is what the manifest says.

use super::files::{digest_of, place};
use super::manifest::{BLOBS, CHANNEL_KEY, DUMP, Manifest, parse_list};
use crate::store::backup::Blob;
use anyhow::{Context, bail};
use std::fs;
use std::path::Path;

/// Names of the complete backups in `folder`, oldest first.
pub(super) fn complete(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() && Manifest::read(&entry.path())?.is_some() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The backup `name` in `folder`, or the newest complete one.
pub fn find(folder: &Path, name: Option<&str>) -> anyhow::Result<Manifest> {
    let names = complete(folder)?;
    let wanted = match name {
        Some(name) => names.iter().find(|known| *known == name).with_context(|| {
            format!("there is no backup {name} in {}; there are: {}", folder.display(), names.join(", "))
        })?,
        None => {
            names.last().with_context(|| format!("there is no complete backup in {}", folder.display()))?
        }
    };
    Manifest::read(&folder.join(wanted))?.context("its manifest was there a moment ago")
}

/// Checks every byte of it. Answers the blobs that belong to it.
pub fn verify(folder: &Path, manifest: &Manifest) -> anyhow::Result<Vec<Blob>> {
    let own = folder.join(&manifest.name);
    let files = [
        (DUMP, Some(manifest.dump_sha256)),
        (BLOBS, Some(manifest.blobs_sha256)),
        (CHANNEL_KEY, manifest.channel_key_sha256),
    ];
    for (file, expected) in files {
        let Some(expected) = expected else { continue };
        if digest_of(&own.join(file))?.0 != expected {
            bail!("{} is damaged: its bytes are not those that were written", own.join(file).display());
        }
    }
    let blobs = parse_list(&fs::read_to_string(own.join(BLOBS))?)?;
    for blob in &blobs {
        let path = folder.join("blobs").join(place(blob.digest));
        if digest_of(&path)? != (blob.digest, blob.size_bytes) {
            bail!("{} is damaged: its bytes are not what its name says", path.display());
        }
    }
    Ok(blobs)
}
