//! `loopwright demo`: options of the laboratory on one machine.

use crate::demo::{Options, Settings};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Replay a measured screen (Parquet or CSV: gene, score, hit) instead of the synthetic specimen
    #[arg(long)]
    pub screen: Option<PathBuf>,
    /// Gene features for the model (Parquet or CSV: gene, block_0, ..)
    #[arg(long, requires = "screen")]
    pub features: Option<PathBuf>,
    /// Other screens the model may learn from
    #[arg(long = "prior", requires = "screen")]
    pub priors: Vec<PathBuf>,
    /// Leave out screens of this group (study) of a long prior file; its `screens.csv` lies beside it
    #[arg(long = "exclude", requires = "priors")]
    pub exclude_groups: Vec<String>,
    /// Technical noise of the bench (coefficient of variation for a replayed screen)
    #[arg(long)]
    pub noise: Option<f64>,
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=520))]
    pub rounds: u32,
    /// Experiments per round
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub batch: u32,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// As a campaign file names it: hit_probability, greedy, ucb, expected_improvement, thompson, top_two,
    /// information_gain, bald, max_epistemic, random or auto
    #[arg(long, default_value = "auto")]
    pub acquisition: String,
    /// Approve every batch without a person
    #[arg(long)]
    pub auto_approve: bool,
    /// Rounds that the demo approves by itself before it asks you: something to look at
    #[arg(long, default_value_t = 3)]
    pub history: u32,
    /// Each plate is sealed by hand before it is incubated: by you, on the page By hand
    #[arg(long)]
    pub by_hand: bool,
    /// End when the campaign has finished
    #[arg(long)]
    pub headless: bool,
    /// Print a JSON object at the end (with --headless)
    #[arg(long, requires = "headless")]
    pub json: bool,
    /// Where everything is kept; started again on the same folder, the demo goes on
    #[arg(long, env = "LOOPWRIGHT_DEMO_DIR", default_value = ".demo")]
    pub data_dir: PathBuf,
    /// Port of the service (default: 8460, or the next free one)
    #[arg(long)]
    pub port: Option<u16>,
    /// Use this PostgreSQL (as its owner) instead of a private one
    #[arg(long, hide = true)]
    pub database_url: Option<String>,
    /// With --auto-approve: leave jobs in doubt to a person all the same, instead of looking at the bench
    #[arg(long)]
    pub leave_doubts: bool,
    /// Seconds that one transfer takes on the simulated bench
    #[arg(long, default_value_t = 0.0, hide = true)]
    pub transfer_seconds: f64,
    /// Milliseconds after which a process that ended is started again, however often it has [default: a growing pause]
    #[arg(long, hide = true)]
    pub restart_pause_ms: Option<u64>,
    /// An option for the service, e.g. --serve-option=--lease-seconds=3
    #[arg(long = "serve-option", hide = true)]
    pub serve_options: Vec<String>,
    /// An option for the simulated bench, e.g. --bench-option=--run-failure-probability=0.1
    #[arg(long = "bench-option", hide = true)]
    pub bench_options: Vec<String>,
    /// Where agents and the learner find the service, when not where it is
    #[arg(long, hide = true)]
    pub workers_through: Option<String>,
}

pub async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    crate::demo::run(Options {
        settings: Settings {
            screen: arguments.screen,
            features: arguments.features,
            priors: arguments.priors,
            exclude_groups: arguments.exclude_groups,
            noise: arguments.noise,
            rounds: arguments.rounds,
            batch: arguments.batch,
            seed: arguments.seed,
            auto_approve: arguments.auto_approve,
            acquisition: arguments.acquisition,
            history: arguments.history,
            by_hand: arguments.by_hand,
            own: None,
        },
        data_dir: arguments.data_dir,
        port: arguments.port,
        headless: arguments.headless,
        json: arguments.json,
        database_url: arguments.database_url,
        transfer_seconds: arguments.transfer_seconds,
        leave_doubts: arguments.leave_doubts,
        restart_pause: arguments.restart_pause_ms.map(Duration::from_millis),
        serve_options: arguments.serve_options,
        bench_options: arguments.bench_options,
        after_a_stop: "Start it again with the same settings to go on where it was.",
        workers_through: arguments.workers_through,
    })
    .await
}
