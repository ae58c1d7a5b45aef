//! `loopwright project`: what campaigns belong to and roles are granted on.

use super::client::Client;
use super::output::Output;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Projects
    List,
    /// Make a project
    Create { name: String },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List => output.list(
            &client.get("/api/v1/projects").await?,
            &[("/name", "name"), ("/created_at", "since"), ("/id", "id")],
            "No project that you may read",
        ),
        Command::Create { name } => {
            output.done(&client.post("/api/v1/projects", &json!({"name": name})).await?, "Created")
        }
    }
}
