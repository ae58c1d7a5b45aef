//! `loopwright instrument`: the devices, and whether they are in service.

use super::client::Client;
use super::output::Output;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Command {
    List,
    Show {
        name: String,
    },
    /// Take an instrument into or out of service
    Set {
        name: String,
        state: State,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum State {
    #[value(alias = "in_service")]
    InService,
    Maintenance,
    Retired,
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List => output.list(
            &client.get("/api/v1/instruments").await?,
            &[
                ("/name", "name"),
                ("/state", "state"),
                ("/capabilities", "capabilities"),
                ("/last_seen_at", "last seen"),
            ],
            "No instruments yet: an agent registers its own when it first asks for work",
        ),
        Command::Show { name } => output.record(&client.get(&format!("/api/v1/instruments/{name}")).await?),
        Command::Set { name, state } => {
            let word = match state {
                State::InService => "in_service",
                State::Maintenance => "maintenance",
                State::Retired => "retired",
            };
            let mut record = client.get(&format!("/api/v1/instruments/{name}")).await?;
            record["state"] = json!(word);
            let body = json!({
                "capabilities": record["capabilities"], "profile": record["profile"], "state": word,
            });
            let answer = client.put_json(&format!("/api/v1/instruments/{name}"), &body).await?;
            output.done(&answer, &format!("{name} is {word}"))
        }
    }
}
