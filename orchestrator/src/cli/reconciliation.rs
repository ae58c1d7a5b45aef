//! `loopwright reconciliation`: after a failover or a restore, when robots are given work again.

use super::arguments::Connection;
use super::output::Output;
use crate::store::{addresses, epoch};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub struct ReconciliationArguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Who has told what it did, and who has not
    Show,
    /// Nobody waits for this instrument's agent
    Excuse {
        instrument: String,
        #[arg(long)]
        reason: String,
    },
    /// Robots are given work again
    Close {
        #[arg(long)]
        reason: String,
    },
    /// Say that this database was brought back by other means than `loopwright restore` (a snapshot of its disk,
    /// a managed service): what happened since is not in it, and robots tell it first
    Begin {
        /// PostgreSQL URL of the schema's owner
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: String,
    },
}

pub async fn run(arguments: ReconciliationArguments) -> anyhow::Result<()> {
    let output = arguments.connection.output();
    if let Command::Begin { database_url } = arguments.command {
        let mut owner = addresses::connect_once(&database_url).await.context("cannot reach the database")?;
        let epoch = epoch::begin(&mut owner).await?;
        let says = format!(
            "Another life of the database began ({epoch}). Robots are given no work until it is closed."
        );
        return output.done(&json!({"epoch": epoch}), &says);
    }
    let client = arguments.connection.client()?;
    let root = "/api/v1/reconciliation";
    let standing = match arguments.command {
        Command::Show | Command::Begin { .. } => client.get(root).await?,
        Command::Excuse { instrument, reason } => {
            let body = json!({"instrument": instrument, "reason": reason});
            client.post(&format!("{root}/excuse"), &body).await?
        }
        Command::Close { reason } => {
            client.post(&format!("{root}/close"), &json!({"reason": reason})).await?
        }
    };
    show(&standing, output)
}

fn show(standing: &Value, output: Output) -> anyhow::Result<()> {
    if output.json {
        return output.raw(standing);
    }
    let word = |name: &str| standing[name].as_str().unwrap_or("-").to_owned();
    match standing["closed_at"].as_str() {
        Some(at) => println!("Closed since {at} by {}: {}", word("closed_by"), word("closed_reason")),
        None => println!(
            "Open since {} ({}): no robot is given work.",
            word("opened_at"),
            word("opened_because").replace('_', " ")
        ),
    }
    println!(
        "Reports under lost leases: {}, of lost jobs: {}; jobs in doubt because of them: {}",
        standing["unknown_reports"], standing["orphan_reports"], standing["jobs_in_doubt"]
    );
    output.list(
        &standing["instruments"],
        &[
            ("/instrument", "instrument"),
            ("/state", "state"),
            ("/offered", "offered"),
            ("/by", "by"),
            ("/excused_reason", "because"),
        ],
        "No instrument is waited for",
    )
}
