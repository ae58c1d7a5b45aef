//! `loopwright plate`: assay plates and their judgement.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

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
    /// Its readings as an Allotrope Simple Model document, for notebooks and data platforms
    Asm {
        id: String,
        /// Where to; standard output when absent
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
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
        Command::Asm { id, output: path } => {
            let document = client.get(&format!("/api/v1/plates/{id}/readings.asm.json")).await?;
            let text = serde_json::to_string_pretty(&document)?;
            match path {
                None => Ok(writeln!(std::io::stdout(), "{text}")?),
                Some(path) => {
                    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
                }
            }
        }
        Command::Decide { id, decision, reason } => {
            let body = json!({"decision": decision.word(), "reason": reason});
            let answer = client.post(&format!("/api/v1/plates/{id}/decide"), &body).await?;
            output.done(&answer, &format!("Plate {id}: {}", decision.word()))
        }
    }
}
