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
    /// The pause before each start anew; `None`: it grows with every death.
    pause: Option<Duration>,
    running: Vec<Running>,
}

const LONGEST_PAUSE: Duration = Duration::from_secs(15);
const LONG_LIFE: Duration = Duration::from_secs(60);
const HOPELESS: u32 = 3;

impl Supervisor {
    pub fn new(logs: PathBuf, pause: Option<Duration>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        Ok(Self { logs, pause, running: Vec::new() })
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
                    let growing = Duration::from_millis(250) * 2u32.saturating_pow(process.deaths.min(6) - 1);
                    let pause = self.pause.unwrap_or(growing);
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

    /// Whether the process has died again and again since it was last up for a minute.
    pub fn is_hopeless(&self, name: &str) -> bool {
        let dies = |process: &Running| process.recipe.name == name && process.deaths >= HOPELESS;
        self.pause.is_none() && self.running.iter().any(dies)
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

/// What we die before is not told to a child that has not yet asked to be told: it looks whether its parent (the
/// first argument) is still there, and becomes the rest of its arguments.
pub const UNLESS_ORPHANED: [&str; 4] =
    ["sh", "-c", "[ \"$PPID\" = \"$1\" ] || exit 1; shift; exec \"$@\"", "sh"];

fn spawn(recipe: &Recipe, logs: &Path) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(logs.join(format!("{}.log", recipe.name)))?;
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .args(UNLESS_ORPHANED)
        .arg(std::process::id().to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn born_to(parent: u32) -> std::process::Output {
        let [program, arguments @ ..] = UNLESS_ORPHANED;
        let mut command = Command::new(program);
        command.args(arguments).arg(parent.to_string()).args(["echo", "here I am"]);
        command.output().await.expect("there is a shell")
    }

    #[tokio::test]
    async fn a_child_whose_parent_is_gone_does_not_begin() {
        assert_eq!(born_to(std::process::id()).await.stdout, b"here I am\n");
        let orphan = born_to(1).await;
        assert!(orphan.stdout.is_empty() && !orphan.status.success());
    }
}
