//! `loopwright model`: versions, their evidence, and predictions.

use super::client::Client;
use super::output::Output;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Versions of a campaign's model
    List { campaign: String },
    /// One version with its data cut, seed, code version and metrics
    Show { id: String },
    /// What the campaign's latest model said of one experiment of the pool
    Predict {
        campaign: String,
        /// Edits joined by `+`
        perturbation: String,
        #[arg(long)]
        context: String,
    },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { campaign } => output.list(
            &client.get(&format!("/api/v1/campaigns/{campaign}/models")).await?,
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
        Command::Predict { campaign, perturbation, context } => {
            let query = [("perturbation", perturbation.as_str()), ("context", context.as_str())]
                .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
                .join("&");
            output.record(&client.get(&format!("/api/v1/campaigns/{campaign}/predictions?{query}")).await?)
        }
    }
}

/// `value` as it may stand in a query string (RFC 3986).
fn percent_encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_plus_between_edits_survives_a_query_string() {
        assert_eq!(percent_encoded("CBLB+RASA2"), "CBLB%2BRASA2");
    }
}
