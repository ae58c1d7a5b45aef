//! The way back: into an empty database and a blob folder of our own.

use super::files::{copy_blob, digest_of, place, write_private};
use super::manifest::{CHANNEL_KEY, DUMP, Manifest};
use super::{find, tools, verify};
use crate::store::backup::{self, Blob};
use crate::store::{self, checkup, events, reconciliation};
use anyhow::{Context, bail};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;

/// What is restored, and where to.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The owner of an empty database. A secret.
    pub database_url: String,
    /// Folder of the blob store: empty, or the one that was backed up.
    pub data_dir: PathBuf,
    /// Default: `channel.key` in the data folder.
    pub channel_key_file: Option<PathBuf>,
    pub from: PathBuf,
    /// The newest when absent.
    pub name: Option<String>,
}

/// Restores a backup, after checking every byte of it and that nothing is there that could be lost. Answers the
/// manifest and the epoch of the life that begins.
pub async fn restore(what: &Restore) -> anyhow::Result<(Manifest, String)> {
    let manifest = find(&what.from, what.name.as_deref())?;
    let blobs = verify(&what.from, &manifest)?;
    if manifest.schema_version > store::migrate::known() {
        bail!(
            "the backup's schema is at version {}, this binary knows up to {}: restore it with loopwright {}",
            manifest.schema_version,
            store::migrate::known(),
            manifest.loopwright
        );
    }
    let mut owner =
        store::addresses::connect_once(&what.database_url).await.context("cannot reach the database")?;
    let (server_version, tables) = backup::target(&mut owner).await?;
    if tables > 0 {
        bail!(
            "the database has {tables} tables and views already: make an empty one (createdb) and name that. Nothing was \
             changed"
        );
    }
    ensure_own(&what.data_dir)?;
    restore_files(what, &manifest, &blobs)?;
    backup::make_role(&mut owner).await.context("cannot make the role loopwright_app")?;
    fill(what, &manifest, server_version).await?;
    store::migrate(&what.database_url).await.context("cannot bring the restored schema up to date")?;
    let epoch = begin(&mut owner, &manifest).await?;
    owner.close().await.ok();
    Ok((manifest, epoch))
}

/// Empty, or nothing in it but what a blob store holds.
fn ensure_own(folder: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_ours = (name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || ["uploads", "probe", CHANNEL_KEY].contains(&name.as_str());
        if !is_ours {
            bail!(
                "{} is not the folder of a blob store ({name} is in it): name an empty one, or the one that was backed up. \
                 Nothing was changed",
                folder.display()
            );
        }
    }
    Ok(())
}

fn restore_files(what: &Restore, manifest: &Manifest, blobs: &[Blob]) -> anyhow::Result<()> {
    fs::create_dir_all(&what.data_dir).with_context(|| format!("cannot make {}", what.data_dir.display()))?;
    if let Some(expected) = manifest.channel_key_sha256 {
        let target = what.channel_key_file.clone().unwrap_or_else(|| what.data_dir.join(CHANNEL_KEY));
        let bytes = fs::read(what.from.join(&manifest.name).join(CHANNEL_KEY))?;
        match fs::read(&target) {
            Ok(there) if jobs::Digest::of(&there) == expected => {}
            Ok(_) => bail!(
                "{} is another channel key than the backup's, and would not open its secrets: move it away. Nothing was \
                 changed",
                target.display()
            ),
            Err(_) => write_private(&target, &bytes)?,
        }
    }
    for blob in blobs {
        let there = what.data_dir.join(place(blob.digest));
        if there.exists() && digest_of(&there)? != (blob.digest, blob.size_bytes) {
            fs::remove_file(&there).with_context(|| format!("cannot replace {}", there.display()))?;
        }
        copy_blob(&what.from.join("blobs"), &what.data_dir, blob.digest, blob.size_bytes)?;
    }
    Ok(())
}

/// The dump, and behind it another life of the database, in one transaction: there is no moment in which robots
/// could be given what they have done already.
async fn fill(what: &Restore, manifest: &Manifest, server_version: i32) -> anyhow::Result<()> {
    let server = u32::try_from(server_version / 10_000).context("the server has a strange version")?;
    let (pg_restore, _) = tools::find("pg_restore", manifest.pg_dump_major).await?;
    let (psql, _) = tools::find("psql", server).await?;
    let dump = what.from.join(&manifest.name).join(DUMP);
    let mut reading = tokio::process::Command::new(&pg_restore)
        .args(["--no-owner", "--file=-"])
        .arg(&dump)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}", pg_restore.display()))?;
    let mut writing = tools::on_database(&psql, &what.database_url)?
        .args(["--no-psqlrc", "--quiet", "--no-password", "--single-transaction"])
        .args(["--set", "ON_ERROR_STOP=1", "--file=-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", psql.display()))?;
    let mut script = reading.stdout.take().context("pg_restore has an output")?;
    let mut into = writing.stdin.take().context("psql has an input")?;
    let piped = async {
        tokio::io::copy(&mut script, &mut into).await.context("psql ended early")?;
        let read = reading.wait_with_output().await?;
        if !read.status.success() {
            bail!("pg_restore failed: {}", String::from_utf8_lossy(&read.stderr).trim());
        }
        into.write_all(store::backup::another_life(&manifest.schema).as_bytes()).await?;
        into.shutdown().await?;
        drop(into);
        anyhow::Ok(())
    };
    let piped = piped.await;
    if piped.is_err() {
        // Before it sees the end of its input, which would commit.
        let _ = writing.start_kill();
    }
    let written = writing.wait_with_output().await?;
    if !written.status.success() && !written.stderr.is_empty() {
        bail!("the dump could not be read back: {}", String::from_utf8_lossy(&written.stderr).trim());
    }
    piped?;
    if !written.status.success() {
        bail!("psql ended with {}", written.status);
    }
    Ok(())
}

/// The record is whole up to the backup's head; then the reconciliation is opened.
async fn begin(owner: &mut PgConnection, manifest: &Manifest) -> anyhow::Result<String> {
    let (position, chain_sha256) = events::head(owner).await?;
    if (position, &chain_sha256) != (manifest.event_head.position, &manifest.event_head.chain_sha256) {
        bail!(
            "the restored record ends at position {position}, the backup's at {}",
            manifest.event_head.position
        );
    }
    events::verify(owner).await.context("the restored record of events is damaged")?;
    let astray = checkup::astray(owner).await?;
    if !astray.is_empty() {
        let rows: Vec<String> = astray.iter().map(ToString::to_string).collect();
        bail!("the restored queue is damaged: rows name jobs that are not there ({})", rows.join(", "));
    }
    reconciliation::observe(owner).await?;
    let standing = reconciliation::standing(owner).await?;
    let body = json!({
        "backup": manifest.name,
        "taken_at": manifest.taken_at,
        "epoch_before": manifest.epoch,
        "event_head": manifest.event_head,
    });
    backup::record_restore(owner, body, &standing.epoch).await?;
    Ok(standing.epoch)
}
