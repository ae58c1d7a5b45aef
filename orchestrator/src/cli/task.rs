//! `loopwright task`: what waits for a person.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// What waits for a person
    List {
        #[command(flatten)]
        page: Paging,
    },
    /// Mark as dealt with
    Close { id: String },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { page } => output.list(
            &client.get(&page.of("/api/v1/tasks", &[])).await?,
            &[
                ("/cause", "cause"),
                ("/message", "message"),
                ("/subject", "about"),
                ("/subject_id", "which"),
                ("/id", "id"),
            ],
            "Nothing waits for you",
        ),
        Command::Close { id } => {
            let answer = client.post(&format!("/api/v1/tasks/{id}/close"), &json!({})).await?;
            output.done(&answer, "Closed")
        }
    }
}
