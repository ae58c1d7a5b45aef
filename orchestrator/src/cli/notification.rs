//! `loopwright notification`: what people are told, and who looks after it.

use super::client::Client;
use super::output::Output;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Those whose cause is still there, newest first
    List {
        /// Also those that are closed
        #[arg(long)]
        all: bool,
        /// Where the page before ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Say that you look after it: it is not escalated any more
    #[command(alias = "acknowledge")]
    Ack { id: String },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { all, cursor } => {
            let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            output.list(
                &client.get(&format!("/api/v1/notifications?open={}{cursor}", !all)).await?,
                &[
                    ("/severity", "severity"),
                    ("/title", "what"),
                    ("/message", "message"),
                    ("/state", "state"),
                    ("/acknowledged_by", "looked after by"),
                    ("/escalations", "escalations"),
                    ("/opened_at", "since"),
                    ("/id", "id"),
                ],
                "Nothing is to be told",
            )
        }
        Command::Ack { id } => {
            let path = format!("/api/v1/notifications/{id}/acknowledge");
            let answer = client.post(&path, &json!({})).await?;
            let by = answer["acknowledged_by"].as_str();
            let sentence = match (answer["state"].as_str(), by) {
                (_, Some(by)) => format!("Acknowledged by {by}: it is not escalated any more"),
                (Some("closed"), None) => "Its cause was gone already".to_owned(),
                _ => "Acknowledged".to_owned(),
            };
            output.done(&answer, &sentence)
        }
    }
}
