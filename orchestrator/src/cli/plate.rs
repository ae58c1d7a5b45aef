//! `loopwright plate`: assay plates and their judgement.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Assay plates, the newest first
    List {
        /// Only those of this round
        #[arg(long)]
        round: Option<String>,
        /// Only those in this state (`quarantined`, ..)
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        page: Paging,
    },
    /// Plate map, transfers, readings, judgement
    Show { id: String },
    /// Decide on a quarantined plate
    Decide {
        id: String,
        decision: Decision,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Decision {
    /// Let it train all the same
    Release,
    /// Make it again on a new plate
    Repeat,
    /// Its experiments stay unmeasured
    #[value(alias = "give_up")]
    GiveUp,
}

impl Decision {
    fn word(self) -> &'static str {
        match self {
            Decision::Release => "release",
            Decision::Repeat => "repeat",
            Decision::GiveUp => "give_up",
        }
    }
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { round, state, page } => {
            let filters = [("round", round.as_deref()), ("state", state.as_deref())];
            let listed = client.get(&page.of("/api/v1/plates", &filters)).await?;
            output.list(
                &listed,
                &[
                    ("/barcode", "barcode"),
                    ("/ordinal", "plate"),
                    ("/generation", "generation"),
                    ("/context", "context"),
                    ("/state", "state"),
                    ("/qc/z_prime", "Z'"),
                    ("/reason", "reason"),
                    ("/id", "id"),
                ],
                "No plates",
            )
        }
        Command::Show { id } => output.record(&client.get(&format!("/api/v1/plates/{id}")).await?),
        Command::Decide { id, decision, reason } => {
            let body = json!({"decision": decision.word(), "reason": reason});
            let answer = client.post(&format!("/api/v1/plates/{id}/decide"), &body).await?;
            output.done(&answer, &format!("Plate {id}: {}", decision.word()))
        }
    }
}
