//! `loopwright channel`: the ways out to people.

mod add;
mod tries;

use super::client::Client;
use super::output::Output;
use anyhow::{Context, bail};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell a program: CloudEvents, posted and signed; the signing secret is printed once
    AddWebhook {
        name: String,
        /// Where to post, e.g. https://hooks.example.org/loopwright
        url: String,
        /// File with the receiver's own signing secret (whsec_...); one is made without it
        #[arg(long)]
        secret_file: Option<PathBuf>,
        #[command(flatten)]
        filter: add::Filter,
    },
    /// Tell a Slack channel, or what reads Slack's incoming webhooks (Mattermost, Rocket.Chat)
    AddSlack {
        name: String,
        /// File with the incoming webhook's address, which is a secret; `-` reads it from the standard input
        #[arg(long)]
        url_file: PathBuf,
        #[command(flatten)]
        filter: add::Filter,
    },
    /// Tell a mailbox; the server needs --smtp-url and --mail-from
    AddEmail {
        name: String,
        address: String,
        #[command(flatten)]
        filter: add::Filter,
    },
    /// Ways out of the laboratory, and what each is told
    List,
    /// Remove a channel and forget its secret
    Remove {
        /// Name or id
        channel: String,
    },
    /// Tell a channel a test, and say what became of it
    Test {
        /// Name or id
        channel: String,
    },
    /// What was told, newest first
    Deliveries {
        /// Name or id of a channel
        #[arg(long)]
        channel: Option<String>,
        /// Only those that were given up
        #[arg(long)]
        dead: bool,
        /// Where the page before ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// One delivery with every attempt
    Delivery { id: String },
    /// Order a delivery again, under the same id
    Redeliver { id: String },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::AddWebhook { name, url, secret_file, filter } => {
            let secret = secret_file.map(|file| add::line_of(&file)).transpose()?;
            add::add(client, output, &name, "webhook", &url, secret, filter).await
        }
        Command::AddSlack { name, url_file, filter } => {
            let url = add::line_of(&url_file)?;
            add::add(client, output, &name, "slack", &url, None, filter).await
        }
        Command::AddEmail { name, address, filter } => {
            add::add(client, output, &name, "email", &address, None, filter).await
        }
        Command::List => output.list(
            &client.get("/api/v1/channels").await?,
            &[
                ("/name", "name"),
                ("/kind", "kind"),
                ("/target", "target"),
                ("/topics", "topics"),
                ("/minimum_severity", "from severity"),
                ("/escalation_level", "level"),
                ("/enabled", "enabled"),
                ("/pending", "pending"),
                ("/dead", "given up"),
                ("/last_delivered_at", "last delivered"),
            ],
            "No channels yet: loopwright channel add-webhook NAME URL",
        ),
        Command::Remove { channel } => {
            let id = meant(client, &channel).await?;
            let answer = client.delete(&format!("/api/v1/channels/{id}")).await?;
            output.done(&answer, &format!("{channel} is removed"))
        }
        Command::Test { channel } => {
            tries::test(client, output, &channel, &meant(client, &channel).await?).await
        }
        Command::Deliveries { channel, dead, cursor } => {
            let channel = match channel {
                Some(channel) => Some(meant(client, &channel).await?),
                None => None,
            };
            tries::list(client, output, channel, dead, cursor).await
        }
        Command::Delivery { id } => tries::show(client, output, &id).await,
        Command::Redeliver { id } => tries::redeliver(client, output, &id).await,
    }
}

/// The id of the channel that is meant by its id or its name.
async fn meant(client: &Client, meant: &str) -> anyhow::Result<String> {
    if uuid::Uuid::parse_str(meant).is_ok() {
        return Ok(meant.to_owned());
    }
    let page = client.get("/api/v1/channels?limit=1000").await?;
    let named = page["items"].as_array().into_iter().flatten().find(|channel| channel["name"] == meant);
    match named {
        Some(channel) => channel["id"].as_str().map(str::to_owned).context("the server sent no id"),
        None => bail!("there is no channel {meant}: `loopwright channel list` shows them"),
    }
}
