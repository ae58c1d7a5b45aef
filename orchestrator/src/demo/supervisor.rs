//! Starts the demo's processes, restarts those that die, stops them in order.
//!
//! Children die with us (`setpriv --pdeathsig`): a killed demo leaves no process behind. Their output goes
//! to `logs/<name>.log`.

use anyhow::Context;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// How one process is started, each time anew.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// Added to our own environment.
    pub environment: Vec<(String, String)>,
}

struct Running {
    recipe: Recipe,
    child: Option<Child>,
    deaths: u32,
    start_again_at: Instant,
    started_at: Instant,
}

/// The processes, in the order they were started.
pub struct Supervisor {
    logs: PathBuf,
    running: Vec<Running>,
}

const LONGEST_PAUSE: Duration = Duration::from_secs(15);
const LONG_LIFE: Duration = Duration::from_secs(60);

impl Supervisor {
    pub fn new(logs: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        Ok(Self { logs, running: Vec::new() })
    }

    /// Starts a process and watches over it from now on.
    pub fn start(&mut self, recipe: Recipe) -> anyhow::Result<()> {
        let child = spawn(&recipe, &self.logs)?;
        let now = Instant::now();
        self.running.push(Running {
            recipe,
            child: Some(child),
            deaths: 0,
            start_again_at: now,
            started_at: now,
        });
        Ok(())
    }

    /// Restarts what has died, with a growing pause; answers what died just now, in words.
    pub fn tend(&mut self) -> anyhow::Result<Vec<String>> {
        let mut news = Vec::new();
        let now = Instant::now();
        for process in &mut self.running {
            if let Some(child) = &mut process.child {
                if let Some(status) = child.try_wait()? {
                    if now - process.started_at > LONG_LIFE {
                        process.deaths = 0;
                    }
                    process.deaths += 1;
                    let pause = Duration::from_millis(250) * 2u32.saturating_pow(process.deaths.min(6) - 1);
                    process.start_again_at = now + pause.min(LONGEST_PAUSE);
                    process.child = None;
                    news.push(format!(
                        "{} ended ({status}); starting it again (see logs/{}.log)",
                        process.recipe.name, process.recipe.name
                    ));
                }
            } else if now >= process.start_again_at {
                process.child = Some(spawn(&process.recipe, &self.logs)?);
                process.started_at = now;
            }
        }
        Ok(news)
    }

    /// How often the process has died since it was last up for a minute.
    pub fn deaths(&self, name: &str) -> u32 {
        self.running.iter().filter(|process| process.recipe.name == name).map(|process| process.deaths).sum()
    }

    /// Process ids by name.
    pub fn pids(&self) -> BTreeMap<String, u32> {
        self.running
            .iter()
            .filter_map(|process| Some((process.recipe.name.clone(), process.child.as_ref()?.id()?)))
            .collect()
    }

    /// Asks every process to end, last started first, and kills what has not within ten seconds.
    pub async fn stop(mut self) {
        for process in self.running.iter().rev() {
            if let Some(pid) = process.child.as_ref().and_then(Child::id) {
                signal(pid, "TERM").await;
            }
        }
        let end = Instant::now() + Duration::from_secs(10);
        for process in self.running.iter_mut().rev() {
            if let Some(child) = &mut process.child
                && tokio::time::timeout_at(end, child.wait()).await.is_err()
            {
                let _ = child.kill().await;
            }
        }
    }
}

fn spawn(recipe: &Recipe, logs: &Path) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(logs.join(format!("{}.log", recipe.name)))?;
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(&recipe.program)
        .args(&recipe.arguments)
        .envs(recipe.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {} ({})", recipe.name, recipe.program.display()))
}

/// Sends a signal by name. A process that is gone is fine.
pub async fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
}
