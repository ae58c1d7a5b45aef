//! `loopwright simulate`: a campaign file of one's own, played through before a plate moves.

use crate::demo::{Options, OwnCampaign, Settings, digest};
use anyhow::Context;
use clap::Args;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(
    after_help = "The file is played on a laboratory of this machine alone, with its calendar in fast-forward: layouts, \
                  controls, thresholds, acquisition, model and cost are the file's. What is otherwise is said at the end."
)]
pub struct SimulateArguments {
    /// The campaign file
    #[arg(short, long)]
    pub file: PathBuf,
    /// At most so many rounds
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=520))]
    pub rounds: Option<u32>,
    /// Let the wells read what a measured screen has (Parquet or CSV: gene, score, hit; or gene_a, gene_b, gi_score,
    /// hit) instead of an invented biology
    #[arg(long)]
    pub screen: Option<PathBuf>,
    /// Noise of a reading (coefficient of variation)
    #[arg(long)]
    pub noise: Option<f64>,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What one transfer of your liquid handler takes, for its hours and their cost
    #[arg(long, default_value_t = 12.0, value_parser = seconds)]
    pub seconds_per_transfer: f64,
    /// Leave approval to you, in the browser
    #[arg(long)]
    pub with_people: bool,
    /// Stay up when the campaign has ended, to look at it in the browser
    #[arg(long)]
    pub stay: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Keep everything here, and go on where it was when started again [default: a folder that is removed at the end]
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Port of the service (default: 8460, or the next free one)
    #[arg(long)]
    pub port: Option<u16>,
    /// An option for the simulated bench, e.g. --bench-option=--run-failure-probability=0.1
    #[arg(long = "bench-option", hide = true)]
    pub bench_options: Vec<String>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number of seconds"))?;
    if (0.0..=3_600.0).contains(&seconds) { Ok(seconds) } else { Err("from 0 to 3600 seconds".to_owned()) }
}

pub async fn run(arguments: SimulateArguments) -> anyhow::Result<()> {
    let sha256 = digest(&arguments.file)?;
    let folder = Folder::of(arguments.data_dir.as_deref())?;
    let own = OwnCampaign {
        file: arguments.file,
        sha256,
        seconds_per_transfer: arguments.seconds_per_transfer,
        rounds: arguments.rounds,
        with_people: arguments.with_people,
    };
    crate::demo::run(Options {
        settings: Settings::for_own(own, arguments.screen, arguments.noise, arguments.seed),
        data_dir: folder.path.clone(),
        port: arguments.port,
        headless: !arguments.stay && !arguments.with_people,
        json: arguments.json,
        database_url: None,
        transfer_seconds: 0.0,
        leave_doubts: false,
        restart_pause: None,
        serve_options: Vec::new(),
        bench_options: arguments.bench_options,
        after_a_stop: if folder.is_ours {
            "Nothing is kept of it."
        } else {
            "Start it again with the same settings to go on where it was."
        },
        workers_through: None,
    })
    .await
}

/// What folders begin with that are removed.
const OURS: &str = "loopwright-simulation-";

/// Where the simulation lies.
struct Folder {
    path: PathBuf,
    is_ours: bool,
}

impl Folder {
    fn of(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = named {
            return Ok(Self { path: path.to_owned(), is_ours: false });
        }
        remove_what_was_killed();
        let path = std::env::temp_dir().join(format!("{OURS}{}", uuid::Uuid::now_v7().simple()));
        let made = std::fs::create_dir(&path)
            // PostgreSQL's own user must be able to pass through.
            .and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o711)));
        made.with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path, is_ours: true })
    }
}

/// Folders of simulations that were killed; nobody may be told when one cannot be removed.
fn remove_what_was_killed() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(OURS)) {
        let folder = entry.path();
        let Ok(lock) = std::fs::File::options().write(true).open(folder.join("demo.lock")) else { continue };
        if lock.try_lock().is_ok() && !crate::demo::has_a_database(&folder) {
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_ours {
            // What cannot be removed lies in the folder of temporary files.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
