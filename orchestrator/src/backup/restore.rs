//! The way back: into an empty database and a blob folder of our own.

use super::files::{copy_blob, digest_of, place, write_private};
use super::manifest::{CHANNEL_KEY, DUMP, Manifest};
use super::{find, tools, verify};
use crate::store::backup::{self, Blob};
use crate::store::{self, checkup, events, reconciliation};
use anyhow::{Context, bail};
use jobs::Digest;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection, PgConnection};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

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

/// A backup that was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    pub manifest: Manifest,
    /// Of the life that begins.
    pub epoch: String,
    /// Where the channels' key has to be put before a server starts, when nobody has it here.
    pub channel_key_missing_at: Option<PathBuf>,
}

/// What a kill leaves of a key that was being written.
const CHANNEL_KEY_PART: &str = "channel.part";

/// Restores a backup, after checking every byte of it and that nothing is there that could be lost.
pub async fn restore(what: &Restore) -> anyhow::Result<Restored> {
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
    let server = tools::primary(&what.database_url).await?;
    let mut owner = server.connect().await.context("cannot reach the database")?;
    let (server_version, tables) = backup::target(&mut owner).await?;
    if tables > 0 {
        bail!(
            "the database has {tables} tables and views already: make an empty one (createdb) and name that. Nothing was \
             changed"
        );
    }
    ensure_own(&what.data_dir)?;
    let key = channel_key(what, &manifest)?;
    // Before gigabytes are copied: where the owner may not, an administrator has to be found.
    backup::make_role(&mut owner).await.context(
        "cannot make the role loopwright_app: `create role loopwright_app nologin` as an administrator. Nothing was \
         changed",
    )?;
    let channel_key_missing_at = restore_files(what, &blobs, key)?;
    fill(what, &server, &manifest, server_version).await?;
    store::migrate(&what.database_url).await.context("cannot bring the restored schema up to date")?;
    let epoch = begin(&mut owner, &manifest).await?;
    owner.close().await.ok();
    Ok(Restored { manifest, epoch, channel_key_missing_at })
}

/// Empty, or nothing in it but what a blob store holds, and what disks and home folders come with.
fn ensure_own(folder: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_ours = (name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || ["uploads", "probe", CHANNEL_KEY, CHANNEL_KEY_PART].contains(&name.as_str());
        let is_nobodys = name.starts_with('.') || name == "lost+found";
        if !is_ours && !is_nobodys {
            bail!(
                "{} is not the folder of a blob store ({name} is in it): name an empty one, or the one that was backed up. \
                 Nothing was changed",
                folder.display()
            );
        }
    }
    Ok(())
}

/// What is to become of the channels' key.
enum Key {
    /// It is there, or nothing needs one.
    There,
    /// The backup has it.
    Write { to: PathBuf, bytes: Vec<u8> },
    /// It was kept elsewhere, or nobody found it when the backup was taken.
    Missing { at: PathBuf },
}

/// The key that is there already is taken when it is the backup's; the backup's own copy is looked for only where there
/// is none.
fn channel_key(what: &Restore, manifest: &Manifest) -> anyhow::Result<Key> {
    let target = what.channel_key_file.clone().unwrap_or_else(|| what.data_dir.join(CHANNEL_KEY));
    let there = read_key(&target)?.map(|bytes| Digest::of(&bytes));
    match (manifest.channel_key_sha256, there) {
        (Some(expected), Some(there)) if there != expected => bail!(
            "{} is another channel key than the backup's, and would not open its secrets: move it away. Nothing was \
             changed",
            target.display()
        ),
        (_, Some(_)) => Ok(Key::There),
        (None, None) if manifest.sealed_channels == 0 => Ok(Key::There),
        (None, None) => Ok(Key::Missing { at: target }),
        (Some(_), None) => Ok(match read_key(&what.from.join(&manifest.name).join(CHANNEL_KEY))? {
            Some(bytes) => Key::Write { to: target, bytes },
            None => Key::Missing { at: target },
        }),
    }
}

fn read_key(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read the channel key {}", path.display())),
    }
}

/// Answers where the channels' key is missing.
fn restore_files(what: &Restore, blobs: &[Blob], key: Key) -> anyhow::Result<Option<PathBuf>> {
    fs::create_dir_all(&what.data_dir).with_context(|| format!("cannot make {}", what.data_dir.display()))?;
    let missing_at = match key {
        Key::There => None,
        Key::Write { to, bytes } => {
            write_private(&to, &bytes)?;
            None
        }
        Key::Missing { at } => Some(at),
    };
    for blob in blobs {
        let there = what.data_dir.join(place(blob.digest));
        if there.exists() && digest_of(&there)? != (blob.digest, blob.size_bytes) {
            fs::remove_file(&there).with_context(|| format!("cannot replace {}", there.display()))?;
        }
        copy_blob(&what.from.join("blobs"), &what.data_dir, blob.digest, blob.size_bytes)?;
    }
    Ok(missing_at)
}

/// The dump, and behind it another life of the database, in one transaction: there is no moment in which robots
/// could be given what they have done already.
async fn fill(
    what: &Restore,
    server: &PgConnectOptions,
    manifest: &Manifest,
    server_version: i32,
) -> anyhow::Result<()> {
    let server_major = u32::try_from(server_version / 10_000).context("the server has a strange version")?;
    let (pg_restore, script_major) = tools::find("pg_restore", manifest.pg_dump_major).await?;
    // Also not older than what writes its script, which has commands of psql in it.
    let (psql, _) = tools::find("psql", server_major.max(script_major)).await?;
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
    let mut writing = tools::on_database(&psql, &what.database_url, server)?
        .args(["--no-psqlrc", "--quiet", "--no-password", "--single-transaction"])
        .args(["--set", "ON_ERROR_STOP=1", "--file=-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", psql.display()))?;
    let script = reading.stdout.take().context("pg_restore has an output")?;
    let mut into = writing.stdin.take().context("psql has an input")?;
    let piped = async {
        pass_on(script, &mut into, server_major).await.context("psql ended early")?;
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

/// What pg_restore of PostgreSQL 17 and newer begins with, whatever the server, and an older server refuses.
const NEWER_SETTING: &[u8] = b"SET transaction_timeout = 0;\n";

/// Passes pg_restore's script on, without the setting at its head that a server of this major version does not know.
async fn pass_on(
    script: impl AsyncRead + Unpin,
    into: &mut (impl AsyncWrite + Unpin),
    server_major: u32,
) -> std::io::Result<()> {
    let mut script = BufReader::new(script);
    let mut line = Vec::new();
    // The head alone is read by lines: behind it anything may stand in anybody's text.
    while is_head(&line) {
        line.clear();
        if script.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if server_major >= 17 || line != NEWER_SETTING {
            into.write_all(&line).await?;
        }
    }
    tokio::io::copy_buf(&mut script, into).await.map(drop)
}

/// Empty lines, comments, settings, and what keeps psql from obeying the data.
fn is_head(line: &[u8]) -> bool {
    let begins: [&[u8]; 3] = [b"--", b"SET ", b"\\restrict "];
    line.trim_ascii().is_empty() || begins.iter().any(|begin| line.starts_with(begin))
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn passed(script: &str, server_major: u32) -> String {
        let mut into = Vec::new();
        pass_on(script.as_bytes(), &mut into, server_major).await.expect("passed on");
        String::from_utf8(into).expect("text")
    }

    #[tokio::test]
    async fn an_older_server_is_not_told_a_setting_of_newer_ones_and_no_text_is_touched() {
        let head = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET lock_timeout = 0;\n";
        let newer = "SET transaction_timeout = 0;\n";
        let rest = format!(
            "SET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n\
             COPY public.comment (text) FROM stdin;\n{newer}\\.\n"
        );
        let script = format!("{head}{newer}{rest}");
        assert_eq!(passed(&script, 16).await, format!("{head}{rest}"));
        assert_eq!(passed(&script, 17).await, script);
        let of_an_older_client = format!("{head}{rest}");
        assert_eq!(passed(&of_an_older_client, 15).await, of_an_older_client);
        assert_eq!(passed("", 15).await, "");
    }
}
