//! Whether a backup is whole: every file and every blob is what the manifest says.

use super::files::{digest_of, place};
use super::manifest::{BLOBS, CHANNEL_KEY, DUMP, Manifest, parse_list};
use crate::store::backup::Blob;
use anyhow::{Context, bail};
use serde::Serialize;
use std::fs;
use std::path::Path;

/// Whether `name` is one that we give to a backup (`20260302T080000.123456Z`): what else lies in the folder is no
/// concern of ours.
pub(super) fn is_name(name: &str) -> bool {
    let shape: String = name.chars().map(|of| if of.is_ascii_digit() { '0' } else { of }).collect();
    shape == "00000000T000000.000000Z"
}

/// Folders that are called as backups are, oldest first.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_name(&name) && entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Names of the complete backups in `folder`, oldest first. One that cannot be read is told of and passed over: it must
/// not be what keeps the others from being used.
pub(super) fn complete(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = names(folder)?;
    names.retain(|name| match Manifest::read(&folder.join(name)) {
        Ok(manifest) => manifest.is_some(),
        Err(error) => {
            eprintln!("loopwright: {name} is passed over: {error:#}");
            false
        }
    });
    Ok(names)
}

/// The backup `name` in `folder`, or the newest complete one. Of a damaged one nothing is guessed, whatever lies beside
/// it.
pub fn find(folder: &Path, name: Option<&str>) -> anyhow::Result<Manifest> {
    let Some(name) = name else { return newest(folder) };
    if let Some(manifest) = Manifest::read(&folder.join(name))? {
        return Ok(manifest);
    }
    let known = complete(folder)?.join(", ");
    bail!("there is no backup {name} in {}; there are: {known}", folder.display())
}

fn newest(folder: &Path) -> anyhow::Result<Manifest> {
    for name in names(folder)?.iter().rev() {
        let manifest = Manifest::read(&folder.join(name))
            .with_context(|| format!("{name} is the newest; --backup names an older one"))?;
        if let Some(manifest) = manifest {
            return Ok(manifest);
        }
    }
    bail!("there is no complete backup in {}", folder.display())
}

/// Where the key of a backup is that opens its channels' secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKey {
    /// Beside the dump.
    Here,
    /// Taken away from there since, to be kept where the backups are not.
    Elsewhere,
    /// Channels have secrets, and no key was found when the backup was taken.
    Missing,
    /// No channel had a secret.
    NotNeeded,
}

/// Where the key of this backup in `folder` is.
pub fn channel_key(folder: &Path, manifest: &Manifest) -> ChannelKey {
    let is_here = folder.join(&manifest.name).join(CHANNEL_KEY).exists();
    match manifest.channel_key_sha256 {
        Some(_) if is_here => ChannelKey::Here,
        Some(_) => ChannelKey::Elsewhere,
        None if manifest.sealed_channels > 0 => ChannelKey::Missing,
        None => ChannelKey::NotNeeded,
    }
}

/// Checks every byte of it, but for a channel key that is kept elsewhere. Answers the blobs that belong to it.
pub fn verify(folder: &Path, manifest: &Manifest) -> anyhow::Result<Vec<Blob>> {
    let own = folder.join(&manifest.name);
    let key = match channel_key(folder, manifest) {
        ChannelKey::Here => manifest.channel_key_sha256,
        ChannelKey::Elsewhere | ChannelKey::Missing | ChannelKey::NotNeeded => None,
    };
    let files =
        [(DUMP, Some(manifest.dump_sha256)), (BLOBS, Some(manifest.blobs_sha256)), (CHANNEL_KEY, key)];
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
