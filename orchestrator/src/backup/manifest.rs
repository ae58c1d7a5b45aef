//! What a backup says of itself.

use super::files::write_private;
use crate::store::backup::{Blob, Head};
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use jobs::Digest;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Of the files' layout; a newer one is refused.
pub(super) const FORMAT: u32 = 1;
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const DUMP: &str = "database.dump";
pub(super) const BLOBS: &str = "blobs.txt";
pub(super) const CHANNEL_KEY: &str = "channel.key";

/// Written last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub name: String,
    /// The moment of the snapshot, by the database's clock.
    pub taken_at: DateTime<Utc>,
    pub loopwright: String,
    pub schema: String,
    pub schema_version: i64,
    /// `server_version_num` of the server it was taken from.
    pub server_version: i32,
    /// Major version of the pg_dump that wrote it: pg_restore must not be older.
    pub pg_dump_major: u32,
    pub epoch: String,
    pub event_head: Head,
    pub dump_sha256: Digest,
    pub dump_bytes: u64,
    pub blobs_sha256: Digest,
    pub blob_count: u64,
    pub blob_bytes: u64,
    /// Of the channel key, when there was one.
    pub channel_key_sha256: Option<Digest>,
    /// Channels whose secrets only that key opens; not known of older backups.
    #[serde(default)]
    pub sealed_channels: u64,
}

impl Manifest {
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        write_private(&folder.join(MANIFEST), serde_json::to_string_pretty(self)?.as_bytes())
    }

    /// `None` when there is none: the backup was cut off.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let manifest: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        if manifest.format > FORMAT {
            bail!(
                "{} was written by a newer loopwright ({}): use that one",
                path.display(),
                manifest.loopwright
            );
        }
        Ok(Some(manifest))
    }
}

/// A line a blob: digest, bytes.
pub(super) fn list(blobs: &[Blob]) -> String {
    blobs.iter().map(|blob| format!("{} {}\n", blob.digest, blob.size_bytes)).collect()
}

pub(super) fn parse_list(text: &str) -> anyhow::Result<Vec<Blob>> {
    text.lines()
        .map(|line| {
            let (digest, size) = line.split_once(' ').context("a line of blobs.txt is damaged")?;
            let digest = digest.parse().ok().context("a digest in blobs.txt is damaged")?;
            Ok(Blob { digest, size_bytes: size.parse()? })
        })
        .collect()
}
