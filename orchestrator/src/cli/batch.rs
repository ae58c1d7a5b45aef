//! `loopwright batch`: look at what is proposed, edit it, approve or reject it.

use super::client::Client;
use super::output::Output;
use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Batches, those that wait for approval first
    List {
        /// Only those in this state (`awaiting_approval`, ..)
        #[arg(long)]
        state: Option<String>,
    },
    /// What is proposed, with predictions and reasons, and the draft plan
    Show {
        id: String,
        /// Also the runners-up and what was removed
        #[arg(long)]
        all: bool,
    },
    /// Approve the batch as it stands
    Approve {
        id: String,
        #[arg(long)]
        reason: Option<String>,
    },
    /// Reject the batch; it is proposed anew
    Reject {
        id: String,
        #[arg(long)]
        reason: String,
        /// Experiments not to be proposed again, as `PERTURBATION` or `PERTURBATION@CONTEXT`
        #[arg(long)]
        exclude: Vec<String>,
    },
    /// Remove one experiment; the next best takes its place
    Remove {
        id: String,
        /// The proposal's id
        proposal: String,
        #[arg(long)]
        reason: String,
    },
    /// Add an experiment by hand
    Add {
        id: String,
        /// Edits joined by `+`
        perturbation: String,
        #[arg(long)]
        context: String,
        #[arg(long)]
        reason: String,
    },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { state } => {
            let query = state.map(|state| format!("?state={state}")).unwrap_or_default();
            let listed = client.get(&format!("/api/v1/batches{query}")).await?;
            output.list(
                &listed,
                &[
                    ("/id", "id"),
                    ("/campaign", "campaign"),
                    ("/round", "round"),
                    ("/generation", "generation"),
                    ("/state", "state"),
                    ("/selected", "experiments"),
                ],
                "No batches",
            )
        }
        Command::Show { id, all } => show(client, output, &id, all).await,
        Command::Approve { id, reason } => {
            let revision = revision(client, &id).await?;
            let answer = client
                .post_if_match(&format!("/api/v1/batches/{id}/approve"), revision, &json!({"reason": reason}))
                .await?;
            let sentence = match answer["missing_approvals"].as_u64() {
                Some(missing) if missing > 0 => format!("Approval recorded; {missing} more needed"),
                _ => "Approved and frozen; the robots go on from here".to_owned(),
            };
            output.done(&answer, &sentence)
        }
        Command::Reject { id, reason, exclude } => {
            let revision = revision(client, &id).await?;
            let body = json!({"reason": reason, "exclude": exclude});
            let answer = client.post_if_match(&format!("/api/v1/batches/{id}/reject"), revision, &body).await?;
            output.done(&answer, "Rejected; a new batch is being proposed")
        }
        Command::Remove { id, proposal, reason } => {
            let revision = revision(client, &id).await?;
            let body = json!({"proposal_id": proposal, "reason": reason});
            let answer = client.post_if_match(&format!("/api/v1/batches/{id}/remove"), revision, &body).await?;
            output.done(&answer, &format!("Removed; in its place: {}", replacement(&answer)))
        }
        Command::Add { id, perturbation, context, reason } => {
            let revision = revision(client, &id).await?;
            let body = json!({"perturbation": perturbation, "context": context, "reason": reason});
            let answer = client.post_if_match(&format!("/api/v1/batches/{id}/add"), revision, &body).await?;
            output.done(&answer, "Added")
        }
    }
}

async fn revision(client: &Client, id: &str) -> anyhow::Result<i64> {
    client.get(&format!("/api/v1/batches/{id}")).await?["revision"].as_i64().context("the batch has no revision")
}

fn replacement(answer: &Value) -> &str {
    answer.pointer("/replacement/perturbation").and_then(Value::as_str).unwrap_or("nothing (no runner-up left)")
}

async fn show(client: &Client, output: Output, id: &str, all: bool) -> anyhow::Result<()> {
    let batch = client.get(&format!("/api/v1/batches/{id}")).await?;
    let query = if all { "" } else { "?status=selected" };
    let proposals = client.get(&format!("/api/v1/batches/{id}/proposals{query}")).await?;
    if output.json {
        return output.raw(&json!({"batch": batch, "proposals": proposals["items"]}));
    }
    println!(
        "Batch {id}: round {}, generation {}, {} (revision {})",
        batch["round"], batch["generation"], batch["state"].as_str().unwrap_or("?"), batch["revision"]
    );
    if let Some(plan) = batch["draft"].as_object() {
        let line: Vec<String> = plan.iter().map(|(name, value)| format!("{name} {value}")).collect();
        println!("Draft plan: {}", line.join(", "));
    }
    output.list(
        &proposals,
        &[
            ("/rank", "rank"),
            ("/perturbation", "perturbation"),
            ("/context", "context"),
            ("/mean", "mean"),
            ("/epistemic_sd", "epistemic"),
            ("/aleatoric_sd", "aleatoric"),
            ("/hit_probability", "P(hit)"),
            ("/status", "status"),
            ("/reason", "why"),
            ("/id", "id"),
        ],
        "Nothing is proposed",
    )
}
