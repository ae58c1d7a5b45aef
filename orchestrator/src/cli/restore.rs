//! `loopwright restore`: a backup into an empty database.

use super::output::Output;
use crate::backup::{self, Restore, Restored};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// PostgreSQL URL of the owner of an empty database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Folder of the blob store: empty, or the one that was backed up
    #[arg(long, env = "LOOPWRIGHT_DATA_DIR")]
    pub data_dir: PathBuf,
    /// File of the channel key [default: channel.key in the data folder]
    #[arg(long, env = "LOOPWRIGHT_CHANNEL_KEY_FILE")]
    pub channel_key_file: Option<PathBuf>,
    /// Folder of the backups
    #[arg(long)]
    pub from: PathBuf,
    /// Its name [default: the newest]
    #[arg(long)]
    pub backup: Option<String>,
    /// Print JSON instead of a sentence
    #[arg(long)]
    pub json: bool,
}

pub async fn run(arguments: RestoreArguments) -> anyhow::Result<()> {
    let Restored { manifest, epoch, channel_key_missing_at } = backup::restore(&Restore {
        database_url: arguments.database_url,
        data_dir: arguments.data_dir,
        channel_key_file: arguments.channel_key_file,
        from: arguments.from,
        name: arguments.backup,
    })
    .await?;
    let of_the_key = channel_key_missing_at.as_ref().map_or_else(String::new, |at| {
        format!(
            " The key that opens the channels' secrets is not here. First put it at {}: a server that finds none there \
             makes another, which opens none of them. If it is lost, type the secrets in again.",
            at.display()
        )
    });
    if !of_the_key.is_empty() {
        eprintln!("loopwright:{of_the_key}");
    }
    let says = format!(
        "Backup {} of {} is restored.{of_the_key} Start `loopwright serve` and every agent: robots are given no work before they have \
         told what they did since, and a person has closed it (loopwright reconciliation show).",
        manifest.name, manifest.taken_at
    );
    let answer =
        json!({"restored": manifest, "epoch": epoch, "channel_key_missing_at": channel_key_missing_at});
    Output { json: arguments.json }.done(&answer, &says)
}
