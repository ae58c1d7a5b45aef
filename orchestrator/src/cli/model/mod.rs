//! `loopwright model`: versions with their evidence; virtual experiments.

mod predict;
mod question;
mod screen;

use super::client::Client;
use super::output::Output;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Versions of a campaign's model
    List { campaign: String },
    /// One version with its data cut, seed, code version and metrics
    Show { id: String },
    /// What the model says of a knock-out, a double knock-out, a combination
    ///
    /// Puts the question to a learner and waits for the answer: mean, intervals, how much of the doubt more data would
    /// remove (epistemic) and how much not (aleatoric), probability of a hit, and what the answer rests on. The
    /// experiments need not be among those that the campaign may ask for.
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::Arguments),
    /// Rank a whole space of experiments, and keep the best
    ///
    /// A learner goes through the space piece by piece: 18 million pairs fit. Answered are the best, and the whole space
    /// in a few numbers.
    #[command(after_help = screen::EXAMPLES)]
    Screen(screen::Arguments),
    /// The answer to a prediction or a screen that was asked for before
    Answer {
        /// Its job, as the question named it
        job: String,
        /// How long to wait for it, in seconds
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=86_400))]
        wait_seconds: u64,
        /// Of a screen: write the whole ranking to this file, as CSV
        #[arg(short, long)]
        output: Option<std::path::PathBuf>,
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
        Command::Predict(arguments) => predict::run(arguments, client, output).await,
        Command::Screen(arguments) => screen::run(arguments, client, output).await,
        Command::Answer { job, wait_seconds, output: file } => {
            let (route, kind) = question::route_of(client, &job).await?;
            let asked = question::Asked { route, job };
            let answer = asked.answer(client, wait_seconds).await?;
            match kind.as_str() {
                "screen" => screen::show(&answer, file.as_deref(), client, output).await,
                _ => predict::show(&answer, output),
            }
        }
    }
}
