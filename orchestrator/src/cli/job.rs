//! `loopwright job`: the queue, seen and decided on by people.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Command {
    List {
        /// Only those in this state (`in_doubt`, `ready`, ..)
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        kind: Option<String>,
        #[arg(long)]
        round: Option<String>,
        #[command(flatten)]
        page: Paging,
    },
    /// Payload, attempts, reports, and what is known when it is in doubt
    Show { id: String },
    /// Ask to stop it (cancelled at once when nobody holds it)
    Stop {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// Say what really happened to a job in doubt, after looking
    Resolve {
        id: String,
        resolution: Resolution,
        /// What you saw
        #[arg(long)]
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Resolution {
    /// It happened, wholly
    Done,
    /// It did not happen at all: it is queued anew
    #[value(alias = "not_done")]
    NotDone,
    /// The plate cannot be used: it is made again
    #[value(alias = "plate_lost")]
    PlateLost,
}

impl Resolution {
    fn word(self) -> &'static str {
        match self {
            Resolution::Done => "done",
            Resolution::NotDone => "not_done",
            Resolution::PlateLost => "plate_lost",
        }
    }
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { state, kind, round, page } => {
            let filters =
                [("state", state.as_deref()), ("kind", kind.as_deref()), ("round_id", round.as_deref())];
            let listed = client.get(&page.of("/api/v1/jobs", &filters)).await?;
            output.list(
                &listed,
                &[
                    ("/id", "id"),
                    ("/kind", "kind"),
                    ("/state", "state"),
                    ("/instrument", "instrument"),
                    ("/worker", "held by"),
                    ("/failure/message", "failure"),
                ],
                "No jobs",
            )
        }
        Command::Show { id } => output.record(&client.get(&format!("/api/v1/jobs/{id}")).await?),
        Command::Stop { id, reason } => {
            let answer = client.post(&format!("/api/v1/jobs/{id}/stop"), &json!({"reason": reason})).await?;
            output.done(&answer, &format!("Job {id}: asked to stop"))
        }
        Command::Resolve { id, resolution, reason } => {
            let body = json!({"resolution": resolution.word(), "reason": reason});
            let answer = client.post(&format!("/api/v1/jobs/{id}/resolve"), &body).await?;
            output.done(&answer, &format!("Job {id}: {}", resolution.word()))
        }
    }
}
