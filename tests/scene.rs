//! A laboratory that runs, is watched, and is killed in.

use crate::api::Api;
use crate::laboratory::{Laboratory, binary};
use anyhow::{Context, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often the whole may fall over before something is wrong.
const STARTS: u32 = 40;
const LOOK: Duration = Duration::from_millis(5);

/// A demo in the foreground: it stays up when its campaign has finished. Ended when dropped.
pub struct Scene {
    pub laboratory: Laboratory,
    demo: Option<Child>,
    starts: u32,
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut child) = self.demo.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Scene {
    pub fn open(laboratory: Laboratory) -> anyhow::Result<Self> {
        let demo = Some(start(&laboratory)?);
        Ok(Self { laboratory, demo, starts: 1 })
    }

    /// Starts the whole again when it has ended.
    pub fn keep_up(&mut self) -> anyhow::Result<()> {
        let Some(child) = &mut self.demo else { return Ok(()) };
        if let Some(status) = child.try_wait()? {
            self.starts += 1;
            if self.starts > STARTS {
                bail!("the demo ended {STARTS} times ({status}):\n{}", self.words());
            }
            self.demo = Some(start(&self.laboratory)?);
        }
        Ok(())
    }

    /// Kills the supervisor, and with it everything.
    pub fn kill_all(&mut self) -> anyhow::Result<()> {
        if let Some(child) = &mut self.demo {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Ends it in order.
    pub fn stop(mut self) -> anyhow::Result<Laboratory> {
        let mut child = self.demo.take().context("it runs until it is stopped")?;
        signal(child.id(), "TERM");
        let end = Instant::now() + Duration::from_secs(60);
        while child.try_wait()?.is_none() {
            if Instant::now() > end {
                child.kill()?;
            }
            std::thread::sleep(LOOK);
        }
        // What is left of us has nothing to end.
        let laboratory = Laboratory::new(&[]);
        Ok(std::mem::replace(&mut self.laboratory, laboratory))
    }

    /// Looks again and again until there is something to see; keeps the whole up meanwhile.
    pub fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&Laboratory) -> Option<T>,
    ) -> anyhow::Result<T> {
        let end = Instant::now() + limit;
        loop {
            if let Some(seen) = look(&self.laboratory) {
                return Ok(seen);
            }
            if Instant::now() > end {
                bail!("waited for {what}\n{}\n{}", self.words(), self.laboratory.logs());
            }
            self.keep_up()?;
            std::thread::sleep(LOOK);
        }
    }

    /// Live processes by name.
    pub fn processes(&self) -> BTreeMap<String, u32> {
        let text = std::fs::read_to_string(self.laboratory.demo().join("processes.json"));
        let pids: BTreeMap<String, u32> =
            text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        // One that was just killed is listed until somebody has noticed.
        pids.into_iter().filter(|(_, pid)| is_alive(*pid)).collect()
    }

    /// Kills the process once it is there.
    pub fn kill(&mut self, name: &str) -> anyhow::Result<u32> {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(pid) = self.processes().get(name) {
                signal(*pid, "KILL");
                return Ok(*pid);
            }
            anyhow::ensure!(Instant::now() < end, "{name} is not there\n{}", self.words());
            self.keep_up()?;
            std::thread::sleep(LOOK);
        }
    }

    pub fn api(&self) -> anyhow::Result<Api> {
        Api::of_demo(&self.laboratory.demo())
    }

    /// Id and progress of the demo's campaign.
    pub fn progress(&self, api: &Api) -> anyhow::Result<(String, Value)> {
        let listed = api.get("/api/v1/campaigns")?;
        let id = listed["items"][0]["id"].as_str().context("no campaign yet")?.to_owned();
        let progress = api.get(&format!("/api/v1/campaigns/{id}/progress"))?;
        Ok((id, progress))
    }

    /// `loopwright` as an operator types it.
    pub fn operator(&self, arguments: &[&str]) -> Option<Value> {
        let record = std::fs::read_to_string(self.laboratory.demo().join("demo.json")).ok()?;
        let record: Value = serde_json::from_str(&record).ok()?;
        let output = Command::new(binary("loopwright"))
            .args(arguments)
            .args(["--json", "--server", &format!("http://127.0.0.1:{}", record["port"]), "--token-file"])
            .arg(self.laboratory.demo().join("tokens/operator"))
            .output()
            .ok()?;
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
    }

    /// What the bench's device `name` answers to.
    pub fn endpoint(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.laboratory.demo().join("bench/endpoints.json")).ok()?;
        let endpoints: BTreeMap<String, String> = serde_json::from_str(&text).ok()?;
        endpoints.get(name).cloned()
    }

    /// The end of what the demo said.
    pub fn words(&self) -> String {
        let text = std::fs::read_to_string(self.laboratory.path().join("demo.out")).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(30).collect();
        tail.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

fn start(laboratory: &Laboratory) -> anyhow::Result<Child> {
    let out = OpenOptions::new().create(true).append(true).open(laboratory.path().join("demo.out"))?;
    // A test that is killed leaves nothing behind.
    let bare = laboratory.bare();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(bare.get_program()).args(bare.get_args());
    for (name, value) in bare.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    command.spawn().context("the demo does not start")
}

pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

/// Sends a signal by name. A process that is gone is fine.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
