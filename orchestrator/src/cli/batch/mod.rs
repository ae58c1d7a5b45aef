//! `loopwright batch`: look at what is proposed, edit it, talk of it, approve or reject it.

mod plan;
mod show;

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Batches that wait for approval, the oldest first; with `--state`, those in another state, the newest first
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
        /// Genes: no experiment with one of them is proposed again in this round
        #[arg(long, value_name = "GENE")]
        exclude_gene: Vec<String>,
        /// The same for every gene with this tag
        #[arg(long, value_name = "TAG")]
        exclude_tag: Vec<String>,
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
    /// Say something of the batch
    Comment { id: String, text: String },
    /// The plates as they would be made, well by well
    Plan {
        id: String,
        /// From the plate of this ordinal on
        #[arg(long, default_value_t = 1)]
        from: u32,
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
        Command::Show { id, all } => show::show(client, output, &id, all).await,
        Command::Approve { id, reason } => {
            let revision = revision(client, &id).await?;
            let answer = client
                .post_if_match(&format!("/api/v1/batches/{id}/approve"), revision, &json!({"reason": reason}))
                .await?;
            let sentence = match answer.pointer("/batch/approval/missing").and_then(Value::as_str) {
                Some(missing) => format!("Approval recorded; missing: {missing}"),
                None => "Approved and frozen; the robots go on from here".to_owned(),
            };
            output.done(&answer, &sentence)
        }
        Command::Reject { id, reason, exclude, exclude_gene, exclude_tag } => {
            let revision = revision(client, &id).await?;
            let body = json!({"reason": reason, "exclude": exclude, "exclude_genes": exclude_gene,
                "exclude_tags": exclude_tag});
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
            output.done(&answer, &added(&answer))
        }
        Command::Comment { id, text } => {
            let answer =
                client.post(&format!("/api/v1/batches/{id}/comments"), &json!({"text": text})).await?;
            output.done(&answer, "Said")
        }
        Command::Plan { id, from } => plan::plan(client, output, &id, from).await,
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

fn added(answer: &Value) -> String {
    if already(answer) {
        return "It is in the batch already".to_owned();
    }
    match answer["prediction_job_id"].as_str() {
        Some(job) => format!("Added; a learner is asked for its prediction (job {job})"),
        None => "Added".to_owned(),
    }
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
    fn an_addition_says_whether_its_prediction_is_known() {
        let known = json!({"disposition": "done", "prediction_job_id": null});
        assert_eq!(added(&known), "Added");
        let asked = json!({"disposition": "done", "prediction_job_id": "j"});
        assert_eq!(added(&asked), "Added; a learner is asked for its prediction (job j)");
    }
}
