//! `loopwright batch`: look at what is proposed, edit it, approve or reject it.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
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
        #[command(flatten)]
        page: Paging,
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
        Command::List { state, page } => {
            let route = page.of("/api/v1/batches", &[("state", state.as_deref())]);
            let listed = client.get(&route).await?;
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
            let answer =
                client.post_if_match(&format!("/api/v1/batches/{id}/reject"), revision, &body).await?;
            output.done(&answer, "Rejected; a new batch is being proposed")
        }
        Command::Remove { id, proposal, reason } => {
            let revision = revision(client, &id).await?;
            let body = json!({"proposal_id": proposal, "reason": reason});
            let answer =
                client.post_if_match(&format!("/api/v1/batches/{id}/remove"), revision, &body).await?;
            output.done(&answer, &removed(&answer))
        }
        Command::Add { id, perturbation, context, reason } => {
            let revision = revision(client, &id).await?;
            let body = json!({"perturbation": perturbation, "context": context, "reason": reason});
            let answer = client.post_if_match(&format!("/api/v1/batches/{id}/add"), revision, &body).await?;
            output.done(&answer, if already(&answer) { "It is in the batch already" } else { "Added" })
        }
    }
}

async fn revision(client: &Client, id: &str) -> anyhow::Result<i64> {
    client.get(&format!("/api/v1/batches/{id}")).await?["revision"]
        .as_i64()
        .context("the batch has no revision")
}

fn already(answer: &Value) -> bool {
    answer["disposition"] == "already_done"
}

fn removed(answer: &Value) -> String {
    if already(answer) {
        return "It was removed before; nothing changed".to_owned();
    }
    match answer.pointer("/replacement/perturbation").and_then(Value::as_str) {
        Some(next) => format!("Removed; in its place: {next}"),
        None => "Removed; nothing takes its place (no runner-up is left)".to_owned(),
    }
}

async fn show(client: &Client, output: Output, id: &str, all: bool) -> anyhow::Result<()> {
    let batch = client.get(&format!("/api/v1/batches/{id}")).await?;
    let query = if all { "" } else { "?status=selected" };
    let proposals = client.get(&format!("/api/v1/batches/{id}/proposals{query}")).await?;
    if output.json {
        return output.raw(&json!({"batch": batch, "proposals": proposals["items"]}));
    }
    println!(
        "Batch {id} of {}: round {}, generation {}, {} (revision {})",
        batch["campaign"].as_str().unwrap_or("?"),
        batch["round"],
        batch["generation"],
        batch["state"].as_str().unwrap_or("?"),
        batch["revision"]
    );
    println!("{}\n", draft(&batch["draft"]));
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
            ("/id", "id"),
            ("/reason", "why"),
        ],
        "Nothing is proposed",
    )?;
    if batch["state"] == "awaiting_approval" {
        println!(
            "\nloopwright batch approve {id}\nloopwright batch remove {id} PROPOSAL_ID --reason WHY\n\
             loopwright batch add {id} PERTURBATION --context CONTEXT --reason WHY\n\
             loopwright batch reject {id} --reason WHY"
        );
    }
    Ok(())
}

/// The draft plan in a sentence.
fn draft(draft: &Value) -> String {
    if let Some(reason) = draft["reason"].as_str() {
        return format!("It cannot be carried out as it stands: {reason}");
    }
    if draft["plan"] != "possible" {
        return "The plan is being drafted".to_owned();
    }
    let number = |name: &str| draft["summary"][name].as_f64().unwrap_or_default();
    let plates: Vec<String> = draft["plates"].as_array().into_iter().flatten().map(plate).collect();
    let changed =
        if draft["differs_from"].is_null() { "" } else { " It differs from the plan approved before." };
    format!(
        "Plan: {} ({}); {} sample and {} control wells; {} transfers, {:.1} µl, from {}; {} tips; about {:.0} h.{changed}",
        count(number("plates"), "plate"),
        plates.join(", "),
        number("sample_wells"),
        number("control_wells"),
        number("transfers"),
        number("volume_nl") / 1000.0,
        count(number("source_plates"), "source plate"),
        number("tips"),
        number("estimated_hours"),
    )
}

fn plate(plate: &Value) -> String {
    let text = |name: &str| plate[name].as_str().unwrap_or("?").to_owned();
    format!("{} {}", text("barcode"), text("context"))
}

fn count(number: f64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1.0 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_not_told_as_a_change() {
        let repeat = json!({"disposition": "already_done", "revision": 3, "replacement": null});
        assert_eq!(removed(&repeat), "It was removed before; nothing changed");
        let fresh = json!({"disposition": "done", "revision": 3, "replacement": {"perturbation": "CBLB"}});
        assert_eq!(removed(&fresh), "Removed; in its place: CBLB");
    }

    #[test]
    fn a_draft_is_told_in_words() {
        let possible = json!({
            "plan": "possible", "differs_from": null,
            "plates": [{"barcode": "ASY-1", "context": "D1", "ordinal": 1, "wells": 80}],
            "summary": {"plates": 1, "sample_wells": 48, "control_wells": 32, "transfers": 80, "volume_nl": 80000,
                        "source_plates": 7, "tips": 80, "estimated_hours": 72.0},
        });
        assert_eq!(
            draft(&possible),
            "Plan: 1 plate (ASY-1 D1); 48 sample and 32 control wells; 80 transfers, 80.0 µl, from 7 source plates; \
             80 tips; about 72 h."
        );
        let impossible = json!({"plan": "impossible", "code": "x", "reason": "G1 has no volume left."});
        assert!(draft(&impossible).contains("G1 has no volume left."));
        assert_eq!(draft(&Value::Null), "The plan is being drafted");
    }
}
