//! `loopwright results`: observations with their lineage, as CSV, Parquet or JSON; a whole campaign as a research object;
//! or what it taught, as a prior for later campaigns.

use super::client::Client;
use crate::campaigns::as_prior;
use crate::campaigns::spec::HitRule;
use crate::store::results::ResultRow;
use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use jobs::work::description::Description;
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
    /// The whole campaign as a research object to keep, publish and cite: an RO-Crate, zipped
    ///
    /// Its file in every edition, proposals with their reasons, approvals, plate maps, readings, raw files, results and
    /// model versions, and a description of what is what and who did what.
    Crate {
        campaign: String,
        /// URL of the licence under which others may use it, e.g. <https://creativecommons.org/licenses/by/4.0/>
        #[arg(long)]
        licence: Option<String>,
        /// Where to; the campaign's name with .crate.zip when absent
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// What a campaign measured, as a screen for later campaigns to learn from
    ///
    /// A table of single edits, one screen a context. Name it under `priors` in the next campaign's file, and that one
    /// begins with what this one taught.
    Prior {
        campaign: String,
        /// What the study is called in the table; as the campaign was named here when absent
        #[arg(long)]
        group: Option<String>,
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
    match command {
        Command::Export { campaign, format, output } => export(client, json, &campaign, format, output).await,
        Command::Crate { campaign, licence, output } => {
            whole(client, json, &campaign, licence.as_deref(), output).await
        }
        Command::Prior { campaign, group, output } => prior(client, &campaign, group, output).await,
    }
}

async fn whole(
    client: &Client,
    json: bool,
    campaign: &str,
    licence: Option<&str>,
    output: Option<PathBuf>,
) -> anyhow::Result<()> {
    let id = client.campaign(campaign).await?;
    let path = output.unwrap_or_else(|| PathBuf::from(format!("{}.crate.zip", file_name(campaign))));
    let query: Vec<(&str, &str)> = licence.iter().map(|url| ("licence", *url)).collect();
    let bytes = client.download(&format!("/api/v1/campaigns/{id}/crate.zip"), &query, &path).await?;
    if json {
        println!("{}", serde_json::json!({"path": path, "bytes": bytes}));
    } else {
        eprintln!("{bytes} bytes written to {}", path.display());
    }
    Ok(())
}

/// `name` without what a file's name may not have.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_. ".contains(c) { c } else { '-' }).collect()
}

async fn prior(
    client: &Client,
    campaign: &str,
    group: Option<String>,
    output: Option<PathBuf>,
) -> anyhow::Result<()> {
    let id = client.campaign(campaign).await?;
    let bytes = client.get_bytes(&format!("/api/v1/campaigns/{id}/results.json")).await?;
    let rows: Vec<ResultRow> = serde_json::from_slice(&bytes).context("the results are not as expected")?;
    let read = client.get(&format!("/api/v1/campaigns/{id}")).await?;
    let rule: HitRule = serde_json::from_value(read["spec"]["objective"]["hit"].clone())
        .context("the campaign is not as expected")?;
    let description: Option<Description> =
        serde_json::from_value(read["spec"]["model"]["description"].clone())
            .context("the campaign is not as expected")?;
    let group = group.as_deref().unwrap_or(campaign);
    let (csv, count) = as_prior::to_csv(group, &rows, &rule, &description.unwrap_or_default());
    if count == 0 {
        bail!(
            "nothing to learn from: no single edit of this campaign is measured and passed quality control"
        );
    }
    write(&csv, output)
}

async fn export(
    client: &Client,
    json: bool,
    campaign: &str,
    format: Option<Format>,
    output: Option<PathBuf>,
) -> anyhow::Result<()> {
    let format = format.unwrap_or(if json { Format::Json } else { Format::Csv });
    let campaign = client.campaign(campaign).await?;
    let extension = match format {
        Format::Csv => "csv",
        Format::Parquet => "parquet",
        Format::Json => "json",
    };
    let bytes = client.get_bytes(&format!("/api/v1/campaigns/{campaign}/results.{extension}")).await?;
    write(&bytes, output)
}

fn write(bytes: &[u8], output: Option<PathBuf>) -> anyhow::Result<()> {
    match output {
        Some(path) => {
            std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
            eprintln!("{} bytes written to {}", bytes.len(), path.display());
            Ok(())
        }
        None => std::io::stdout().write_all(bytes).context("cannot write to standard output"),
    }
}
