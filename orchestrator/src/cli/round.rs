//! `loopwright round`: one turn of the loop.

use super::client::Client;
use super::output::Output;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Where it stands, and what came of it
    Show { id: String },
    /// Go on from where it was held
    Resume { id: String },
    /// Begin nothing of it until resumed; what runs is brought to its end
    Pause {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// Bring plates that have begun to their end, begin no other; then it is held
    Drain {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// The older name of pause
    Hold {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// End it: jobs not begun are cancelled, running ones are asked to stop
    Cancel {
        id: String,
        #[arg(long)]
        reason: String,
    },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    let (id, verb, body) = match command {
        Command::Show { id } => return output.record(&client.get(&format!("/api/v1/rounds/{id}")).await?),
        Command::Resume { id } => (id, "resume", json!({})),
        Command::Pause { id, reason } => (id, "pause", json!({"reason": reason})),
        Command::Drain { id, reason } => (id, "drain", json!({"reason": reason})),
        Command::Hold { id, reason } => (id, "hold", json!({"reason": reason})),
        Command::Cancel { id, reason } => (id, "cancel", json!({"reason": reason})),
    };
    let answer = client.post(&format!("/api/v1/rounds/{id}/{verb}"), &body).await?;
    output.done(&answer, &format!("Round {id}: {verb} is done"))
}
