//! `loopwright results`: observations with their lineage, as CSV, Parquet or JSON.

use super::client::Client;
use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// One row an observation: value, prediction, proposal, plate, round, model, raw file
    Export {
        campaign: String,
        /// CSV when absent; JSON with --json
        #[arg(long, value_enum)]
        format: Option<Format>,
        /// Where to; standard output when absent
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    Csv,
    Parquet,
    Json,
}

pub async fn run(command: Command, client: &Client, json: bool) -> anyhow::Result<()> {
    let Command::Export { campaign, format, output } = command;
    let format = format.unwrap_or(if json { Format::Json } else { Format::Csv });
    let campaign = client.campaign(&campaign).await?;
    let extension = match format {
        Format::Csv => "csv",
        Format::Parquet => "parquet",
        Format::Json => "json",
    };
    let bytes = client.get_bytes(&format!("/api/v1/campaigns/{campaign}/results.{extension}")).await?;
    match output {
        Some(path) => {
            std::fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
            eprintln!("{} bytes written to {}", bytes.len(), path.display());
            Ok(())
        }
        None => std::io::stdout().write_all(&bytes).context("cannot write to standard output"),
    }
}
