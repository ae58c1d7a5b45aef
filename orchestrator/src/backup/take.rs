//! Takes a backup.

use super::files::{copy_blob, digest_of, sync, write_private};
use super::manifest::{BLOBS, CHANNEL_KEY, DUMP, FORMAT, Manifest, list};
use super::tools;
use super::verify::complete;
use crate::store::backup::{self, Moment};
use anyhow::{Context, bail};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection};
use std::fs;
use std::path::{Path, PathBuf};

/// What is backed up, and where to.
#[derive(Clone, Debug)]
pub struct Take {
    /// A login that reads everything, e.g. the schema's owner. A secret.
    pub database_url: String,
    /// Folder of the blob store.
    pub data_dir: PathBuf,
    /// Default: `channel.key` in the data folder.
    pub channel_key_file: Option<PathBuf>,
    pub to: PathBuf,
    /// Older backups than so many are removed, after this one is good.
    pub keep: Option<usize>,
}

/// Before the name of what is no backup yet, or no more.
const CUT_OFF: &str = ".taking-";

/// Takes a backup. What was copied before a kill is not copied again.
pub async fn take(what: &Take) -> anyhow::Result<Manifest> {
    fs::create_dir_all(&what.to).with_context(|| format!("cannot make {}", what.to.display()))?;
    let lock = fs::File::create(what.to.join("lock")).context("cannot write into the backups' folder")?;
    if lock.try_lock().is_err() {
        bail!("another backup is being taken to {}: wait for it", what.to.display());
    }
    remove_cut_off(&what.to)?;
    let server = tools::primary(&what.database_url).await?;
    let mut conn = server.connect().await.context("cannot reach the database")?;
    let moment = backup::hold(&mut conn).await.context("cannot take a snapshot")?;
    let name = name_of(&moment);
    let taking = what.to.join(format!("{CUT_OFF}{name}"));
    fs::create_dir(&taking).with_context(|| format!("cannot make {}", taking.display()))?;
    let manifest = fill(what, &server, &taking, &name, &moment).await?;
    // Only now: the snapshot was there for as long as pg_dump read.
    conn.close().await.ok();
    sync(&taking)?;
    fs::rename(&taking, what.to.join(&name))?;
    sync(&what.to)?;
    if let Some(keep) = what.keep {
        remove_older(&what.to, keep.max(1))?;
    }
    Ok(manifest)
}

/// Sorts by time; [`super::verify::is_name`] knows it again.
fn name_of(moment: &Moment) -> String {
    moment.taken_at.format("%Y%m%dT%H%M%S%.6fZ").to_string()
}

async fn fill(
    what: &Take,
    server: &PgConnectOptions,
    taking: &Path,
    name: &str,
    moment: &Moment,
) -> anyhow::Result<Manifest> {
    let pg_dump_major = dump(what, server, taking, moment).await?;
    let blobs = what.to.join("blobs");
    fs::create_dir_all(&blobs)?;
    let mut blob_bytes = 0;
    for blob in &moment.blobs {
        copy_blob(&what.data_dir, &blobs, blob.digest, blob.size_bytes)?;
        blob_bytes += blob.size_bytes;
    }
    write_private(&taking.join(BLOBS), list(&moment.blobs).as_bytes())?;
    let channel_key_sha256 = copy_channel_key(what, taking)?;
    let (dump_sha256, dump_bytes) = digest_of(&taking.join(DUMP))?;
    let (blobs_sha256, _) = digest_of(&taking.join(BLOBS))?;
    let manifest = Manifest {
        format: FORMAT,
        name: name.to_owned(),
        taken_at: moment.taken_at,
        loopwright: env!("CARGO_PKG_VERSION").to_owned(),
        schema: moment.schema.clone(),
        schema_version: moment.schema_version,
        server_version: moment.server_version,
        pg_dump_major,
        epoch: moment.epoch.clone(),
        event_head: moment.head.clone(),
        dump_sha256,
        dump_bytes,
        blobs_sha256,
        blob_count: moment.blobs.len() as u64,
        blob_bytes,
        channel_key_sha256,
        sealed_channels: moment.sealed_channels,
    };
    manifest.write(taking)?;
    Ok(manifest)
}

async fn dump(what: &Take, server: &PgConnectOptions, taking: &Path, moment: &Moment) -> anyhow::Result<u32> {
    let at_least =
        u32::try_from(moment.server_version / 10_000).context("the server has a strange version")?;
    let (program, major) = tools::find("pg_dump", at_least).await?;
    let path = taking.join(DUMP);
    write_private(&path, &[])?;
    let output = tools::on_database(&program, &what.database_url, server)?
        .args(["--format=custom", "--no-password"])
        .arg(format!("--snapshot={}", moment.snapshot))
        .arg("--file")
        .arg(&path)
        .output()
        .await
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("pg_dump failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    sync(&path)?;
    Ok(major)
}

fn copy_channel_key(what: &Take, taking: &Path) -> anyhow::Result<Option<jobs::Digest>> {
    let source = what.channel_key_file.clone().unwrap_or_else(|| what.data_dir.join(CHANNEL_KEY));
    match fs::read(&source) {
        Ok(bytes) => {
            write_private(&taking.join(CHANNEL_KEY), &bytes)?;
            Ok(Some(jobs::Digest::of(&bytes)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && what.channel_key_file.is_none() => {
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read the channel key {}", source.display())),
    }
}

/// What cannot be removed is told of, and keeps no backup from being taken.
fn remove_cut_off(folder: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(CUT_OFF)
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            eprintln!("loopwright: {} was cut off and cannot be removed: {error}", entry.path().display());
        }
    }
    Ok(())
}

fn remove_older(folder: &Path, keep: usize) -> anyhow::Result<()> {
    let mut names = complete(folder)?;
    names.truncate(names.len().saturating_sub(keep));
    for name in names {
        // Renamed first: what is left by a kill is no backup, and goes with the next one's clearing.
        let going = folder.join(format!("{CUT_OFF}{name}"));
        fs::rename(folder.join(&name), &going)?;
        fs::remove_dir_all(&going)?;
    }
    Ok(())
}
