//! `loopwright why job|round|campaign ID`, `loopwright standstills`: what something waits for, and whose turn it is.

use super::arguments::Connection;
use super::client::Client;
use super::output::Output;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// What a job waits for
    Job { id: String },
    /// What a round waits for
    Round { id: String },
    /// What a campaign waits for; by its id or name
    Campaign { id: String },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    let path = match command {
        Command::Job { id } => format!("/api/v1/jobs/{id}/why"),
        Command::Round { id } => format!("/api/v1/rounds/{id}/why"),
        Command::Campaign { id } => format!("/api/v1/campaigns/{}/why", client.campaign(&id).await?),
    };
    let why = client.get(&path).await?;
    output.list(
        &json!({"items": why["reasons"]}),
        &[("/owner", "whose turn"), ("/words", "why"), ("/to_do", "what to do"), ("/code", "code")],
        "It waits for nothing: it has ended",
    )
}

pub async fn standstills(connection: Connection) -> anyhow::Result<()> {
    let listed = connection.client()?.get("/api/v1/standstills").await?;
    let items: Vec<Value> = listed["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            let first = it["reasons"].get(0).cloned().unwrap_or(Value::Null);
            json!({"subject": it["subject"], "id": it["id"], "state": it["state"], "since": it["since"],
                   "owner": it["owner"], "why": first["words"], "to_do": first["to_do"]})
        })
        .collect();
    if connection.json {
        return connection.output().record(&listed);
    }
    connection.output().list(
        &json!({"items": items}),
        &[
            ("/subject", "what"),
            ("/id", "id"),
            ("/state", "state"),
            ("/since", "since"),
            ("/owner", "whose turn"),
            ("/why", "why"),
            ("/to_do", "what to do"),
        ],
        "Nothing stands still",
    )
}
