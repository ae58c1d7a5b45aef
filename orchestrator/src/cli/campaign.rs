//! `loopwright campaign`: create from a file, list, show, pause, resume, cancel; its ticks, rounds by hand.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use crate::campaigns::resolve::resolve;
use crate::campaigns::{Problem, Spec};
use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a campaign from its TOML file
    Create {
        #[arg(short, long)]
        file: PathBuf,
        /// All randomness of the campaign derives from it; drawn by the server when absent
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Check a campaign file without creating anything
    Check {
        #[arg(short, long)]
        file: PathBuf,
    },
    /// Campaigns, in the order in which they were made
    List {
        #[command(flatten)]
        page: Paging,
    },
    /// Rounds and hits of a campaign, by its id or name
    Show { id: String },
    /// Give out nothing of it; what has begun is brought to its end
    Pause {
        id: String,
        /// For the record
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Let its live round go to its end, begin no further one; then it is paused
    Drain {
        id: String,
        /// For the record
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Go on after a pause or a drain
    Resume { id: String },
    /// Begin the next round now, whatever the calendar says
    StartRound {
        id: String,
        /// Although it is blackout
        #[arg(long)]
        despite_blackout: bool,
    },
    /// When its next rounds begin
    NextTicks {
        id: String,
        /// How many
        #[arg(short, default_value_t = 5)]
        n: u32,
    },
    /// End it: nothing more is dispatched
    Cancel {
        id: String,
        #[arg(long)]
        reason: String,
    },
}

/// `connect`: called when a server is needed; checking a file needs none.
pub async fn run(
    command: Command,
    connect: impl FnOnce() -> anyhow::Result<Client>,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        Command::Check { file } => {
            let (spec, warnings, _) = read(&file)?;
            for warning in &warnings {
                eprintln!("{}: {warning}", file.display());
            }
            output.done(&serde_json::to_value(&spec)?, &format!("{} is well formed", file.display()))
        }
        other => ask(other, &connect()?, output).await,
    }
}

async fn ask(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Create { file, seed } => {
            let created = create_from_file(client, &file, seed).await?;
            output.done(
                &created,
                &format!("Campaign {} created: {}", text(&created["name"]), text(&created["id"])),
            )
        }
        Command::Check { .. } => Ok(()),
        Command::List { page } => {
            let listed = client.get(&page.of("/api/v1/campaigns", &[])).await?;
            output.list(
                &listed,
                &[("/id", "id"), ("/name", "name"), ("/state", "state"), ("/version", "version")],
                "No campaigns yet: loopwright campaign create -f campaign.toml",
            )
        }
        Command::Show { id } => {
            let id = client.campaign(&id).await?;
            let progress = client.get(&format!("/api/v1/campaigns/{id}/progress")).await?;
            if !output.json {
                println!("{} is {}", text(&progress["name"]), text(&progress["state"]));
            }
            output.list(
                &if output.json { progress.clone() } else { json!({"items": progress["rounds"]}) },
                &[
                    ("/number", "round"),
                    ("/state", "state"),
                    ("/proposed", "proposed"),
                    ("/summary/passed_qc", "passed QC"),
                    ("/summary/hits_found", "hits"),
                    ("/summary/model_version", "model"),
                    ("/summary/coverage_90", "coverage 90"),
                    ("/reason", "reason"),
                    ("/batch_id", "batch"),
                    ("/round_id", "id"),
                ],
                "No rounds yet",
            )
        }
        Command::StartRound { id, despite_blackout } => {
            let id = client.campaign(&id).await?;
            let body = json!({"despite_blackout": despite_blackout});
            let round = client.post(&format!("/api/v1/campaigns/{id}/start-round"), &body).await?;
            let sentence = format!(
                "Round {} begins: {} ({})",
                round["number"],
                text(&round["id"]),
                text(&round["model_because"])
            );
            output.done(&round, &sentence)
        }
        Command::NextTicks { id, n } => {
            let id = client.campaign(&id).await?;
            output.list(
                &client.get(&format!("/api/v1/campaigns/{id}/next-ticks?n={n}")).await?,
                &[("/local", "local"), ("/zone", "zone"), ("/at", "instant"), ("/note", "note")],
                "No ticks to come: it has ended, or its rounds begin by hand or one after the other",
            )
        }
        Command::Pause { id, reason } => act(client, output, &id, "pause", json!({"reason": reason})).await,
        Command::Drain { id, reason } => act(client, output, &id, "drain", json!({"reason": reason})).await,
        Command::Resume { id } => act(client, output, &id, "resume", json!({})).await,
        Command::Cancel { id, reason } => act(client, output, &id, "cancel", json!({"reason": reason})).await,
    }
}

async fn act(client: &Client, output: Output, id: &str, verb: &str, body: Value) -> anyhow::Result<()> {
    let id = client.campaign(id).await?;
    let answer = client.post(&format!("/api/v1/campaigns/{id}/{verb}"), &body).await?;
    output.done(&answer, &format!("{} is {}", text(&answer["name"]), text(&answer["state"])))
}

/// Creates the campaign that `file` describes; uploads the files it names first.
///
/// Answers the created campaign as the API shows it.
pub async fn create_from_file(client: &Client, file: &Path, seed: Option<u64>) -> anyhow::Result<Value> {
    let (spec, _, toml) = read(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let named = resolve(&spec, folder).with_context(|| format!("{} cannot be used", file.display()))?;
    let mut files = Map::new();
    for whole in std::iter::once(named.genes).chain(named.features) {
        upload(client, whole.name, whole.bytes, &mut files).await?;
    }
    for prior in named.priors {
        let described = !spec.model.description.is_empty();
        let bytes = if spec.model.exclude_prior_groups.is_empty() && !described {
            prior.bytes
        } else {
            super::priors::with_groups(&prior.path, prior.bytes, described)?
        };
        upload(client, prior.name, bytes, &mut files).await?;
    }
    client.post("/api/v1/campaigns", &json!({"toml": toml, "files": files, "seed": seed})).await
}

async fn upload(
    client: &Client,
    name: String,
    bytes: Vec<u8>,
    files: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    let digest = client.put_blob(bytes).await.with_context(|| format!("cannot upload {name}"))?;
    files.insert(name, json!(digest));
    Ok(())
}

/// With what is doubtful, and the text.
fn read(file: &Path) -> anyhow::Result<(Spec, Vec<Problem>, String)> {
    let toml = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    match Spec::parse_with_warnings(&toml) {
        Ok((spec, warnings)) => Ok((spec, warnings, toml)),
        Err(error) => bail!("{}:\n{error}", file.display()),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
