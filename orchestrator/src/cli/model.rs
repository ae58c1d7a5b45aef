//! `loopwright model`: versions, their evidence, and predictions.

use super::client::{Client, Refused};
use super::output::Output;
use super::page::asked;
use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Versions of a campaign's model
    List { campaign: String },
    /// One version with its data cut, seed, code version and metrics
    Show { id: String },
    /// What the model says of one experiment
    ///
    /// Looks it up in the posterior that the latest round's proposal came with. What is not in there, and any
    /// question with --fresh or --model-version, is put to a learner.
    Predict {
        /// The campaign's id or name
        campaign: String,
        /// Edits joined by `+`
        perturbation: String,
        #[arg(long)]
        context: String,
        /// Ask this version of the model
        #[arg(long)]
        model_version: Option<u32>,
        /// Ask the version in use now, instead of looking up what was said before the last batch
        #[arg(long)]
        fresh: bool,
        /// How long to wait for a learner
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=30))]
        wait_seconds: u32,
    },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { campaign } => output.list(
            &client.get(&format!("/api/v1/campaigns/{}/models", client.campaign(&campaign).await?)).await?,
            &[
                ("/number", "version"),
                ("/state", "state"),
                ("/metrics/training_rows", "rows"),
                ("/metrics/held_out_log_score", "log score"),
                ("/metrics/coverage_90", "coverage 90"),
                ("/metrics/hit_ece", "ECE"),
                ("/decided_because", "because"),
                ("/id", "id"),
            ],
            "No model yet",
        ),
        Command::Show { id } => output.record(&client.get(&format!("/api/v1/models/{id}")).await?),
        Command::Predict { campaign, perturbation, context, model_version, fresh, wait_seconds } => {
            let campaign = client.campaign(&campaign).await?;
            if model_version.is_none() && !fresh {
                match look_up(client, &campaign, &perturbation, &context).await {
                    Err(error) if is_not_in_pool(&error) => {
                        eprintln!("It was not predicted with a batch; asking a learner.");
                    }
                    found => return output.record(&found?),
                }
            }
            let question = json!({
                "experiments": [{"perturbation": perturbation, "context": context}],
                "model_version": model_version, "wait_seconds": wait_seconds,
            });
            let answer = client.post(&format!("/api/v1/campaigns/{campaign}/predictions"), &question).await?;
            output.record(&told(&answer)?)
        }
    }
}

async fn look_up(
    client: &Client,
    campaign: &str,
    perturbation: &str,
    context: &str,
) -> anyhow::Result<Value> {
    let query = [("perturbation", perturbation), ("context", context)];
    client.get(&asked(&format!("/api/v1/campaigns/{campaign}/predictions"), query)).await
}

fn is_not_in_pool(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.code == "prediction.not_found")
}

/// The one prediction with the version that made it.
fn told(answer: &Value) -> anyhow::Result<Value> {
    let job = answer["job_id"].as_str().unwrap_or("?");
    let Some(prediction) = answer.pointer("/predictions/0") else {
        bail!(
            "no learner has answered yet: is one running? `loopwright job show {job}` will show the answer when \
             it comes"
        );
    };
    let mut record = prediction.clone();
    record["model_version"] = answer["model_version"].clone();
    record["job_id"] = answer["job_id"].clone();
    Ok(record)
}
