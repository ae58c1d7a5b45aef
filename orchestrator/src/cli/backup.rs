//! `loopwright backup`: PostgreSQL and blobs of one moment, into a folder; and whether one is whole.

use super::output::Output;
use crate::backup::{self, ChannelKey, Manifest, Take};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// PostgreSQL URL of a login that reads everything, e.g. the schema's owner
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Folder of the blob store
    #[arg(long, env = "LOOPWRIGHT_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// File of the channel key [default: channel.key in the data folder]
    #[arg(long, env = "LOOPWRIGHT_CHANNEL_KEY_FILE")]
    pub channel_key_file: Option<PathBuf>,
    /// Folder of the backups: blobs that are there already are not copied again
    #[arg(long)]
    pub to: Option<PathBuf>,
    /// Remove older backups than so many, once this one is good
    #[arg(long)]
    pub keep: Option<usize>,
    /// Print JSON instead of a sentence
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every byte of a backup
    Verify {
        /// Folder of the backups
        folder: PathBuf,
        /// Its name [default: the newest]
        #[arg(long)]
        backup: Option<String>,
        /// Print JSON instead of a sentence
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(arguments: BackupArguments) -> anyhow::Result<()> {
    if let Some(Command::Verify { folder, backup: name, json }) = arguments.command {
        let manifest = backup::find(&folder, name.as_deref())?;
        backup::verify(&folder, &manifest)?;
        return told(&folder, &manifest, "is whole", Output { json });
    }
    let to = arguments.to.context("name the folder of the backups with --to")?;
    let manifest = backup::take(&Take {
        database_url: arguments
            .database_url
            .context("name the database with --database-url or DATABASE_URL")?,
        data_dir: arguments.data_dir.context("name the blob store's folder with --data-dir")?,
        channel_key_file: arguments.channel_key_file,
        to: to.clone(),
        keep: arguments.keep,
    })
    .await?;
    told(&to, &manifest, "was taken", Output { json: arguments.json })
}

fn told(folder: &Path, manifest: &Manifest, what: &str, output: Output) -> anyhow::Result<()> {
    let key = backup::channel_key(folder, manifest);
    let of_the_key = match key {
        ChannelKey::Here | ChannelKey::NotNeeded => String::new(),
        ChannelKey::Elsewhere => {
            " Its channel key is not here: keep it safe elsewhere, a restore asks for it.".to_owned()
        }
        ChannelKey::Missing => format!(
            " {} channels have secrets, and the key that opens them was not found: name it with --channel-key-file, or \
             keep it safe elsewhere.",
            manifest.sealed_channels
        ),
    };
    if key == ChannelKey::Missing {
        // Also where only programs read the answer: without the key these secrets are gone.
        eprintln!("loopwright:{of_the_key}");
    }
    let says = format!(
        "Backup {} {what}: {} MB of database, {} blobs of {} MB; its record ends at position {} ({}).{of_the_key}",
        manifest.name,
        manifest.dump_bytes / 1_000_000,
        manifest.blob_count,
        manifest.blob_bytes / 1_000_000,
        manifest.event_head.position,
        manifest.event_head.chain_sha256
    );
    let mut answer = json!(manifest);
    answer["channel_key"] = json!(key);
    output.done(&answer, &says)
}
