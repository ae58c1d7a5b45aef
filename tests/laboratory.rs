//! A demo in a folder of its own, started, killed and asked by tests.

use anyhow::Context;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A built binary: beside this program, or in the folder above (tests).
pub fn binary(name: &str) -> PathBuf {
    let us = std::env::current_exe().unwrap_or_default();
    let found = us.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!("{name} is not built: run `make test`, or `cargo build --workspace --bins`")
    })
}

pub struct Laboratory {
    folder: tempfile::TempDir,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, PathBuf)>,
}

impl Laboratory {
    /// # Panics
    ///
    /// When there is no room for it.
    pub fn new(arguments: &[&str]) -> Self {
        // PostgreSQL's own user must be able to pass through.
        let folder = tempfile::Builder::new().prefix("lw-").tempdir_in("/tmp").expect("/tmp has room");
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))
            .expect("the folder is ours");
        let arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
        Self { folder, arguments, environment: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn demo(&self) -> PathBuf {
        self.path().join("demo")
    }

    /// Leaves the folder where it is, for somebody to look at.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Runs without people and ends by itself.
    pub fn command(&self) -> Command {
        let mut command = self.bare();
        command.args(["--headless", "--json", "--auto-approve"]);
        command
    }

    /// The demo as it is asked for.
    pub fn bare(&self) -> Command {
        let mut command = Command::new(binary("loopwright"));
        command
            .arg("demo")
            .arg("--data-dir")
            .arg(self.demo())
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end; answers the last JSON object.
    ///
    /// # Panics
    ///
    /// When the demo fails.
    pub fn run(&self, limit: Duration) -> Value {
        let output = finish(self.start(), limit);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "the demo failed:\n{err}\n{}", self.logs());
        let last = out.lines().last().unwrap_or_else(|| panic!("no JSON at the end:\n{err}"));
        serde_json::from_str(last).expect("the last line is JSON")
    }

    /// # Panics
    ///
    /// When no process can be started.
    pub fn start(&self) -> Child {
        self.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the demo starts")
    }

    /// The bench's truth, an object a line; empty before there is a world.
    pub fn truth(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.demo().join("bench/truth.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What the database says, as an array of objects. SQL of tests only: the service is not asked.
    pub fn database(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let output = self
            .psql()?
            .arg("-c")
            .arg(format!("select coalesce(json_agg(found), '[]') from ({query}) found"))
            .output()
            .context("psql does not start")?;
        let words = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "the database was asked in vain: {words}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// A session with the database, as its owner.
    pub fn psql(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(psql()?);
        command.arg("-h").arg(self.demo().join("run"));
        command.args(["-U", "loopwright", "-d", "loopwright", "-XAtq", "-v", "ON_ERROR_STOP=1"]);
        command.stdin(Stdio::null()).env("PGCONNECT_TIMEOUT", "5");
        Ok(command)
    }

    pub fn database_url(&self) -> String {
        format!("postgres://loopwright@localhost/loopwright?host={}", self.demo().join("run").display())
    }

    /// Last lines of every log, for a failing test's message.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        let Ok(entries) = std::fs::read_dir(self.demo().join("logs")) else { return text };
        for entry in entries.flatten() {
            let log = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(8).collect();
            text += &format!("--- {}\n", entry.file_name().display());
            text.extend(tail.into_iter().rev().map(|line| format!("{line}\n")));
        }
        text
    }
}

/// The newest installation's.
fn psql() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("LOOPWRIGHT_PG_BIN").map(PathBuf::from) {
        return Ok(named.join("psql"));
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed
        .filter_map(|entry| {
            let major: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin/psql"))).filter(|(_, path)| path.exists())
        })
        .max();
    let on_the_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join("psql")).find(|file| file.exists())
    };
    newest.map(|(_, path)| path).or_else(on_the_path).context("there is no psql")
}

/// Waits for `child`, killing it after `limit`.
///
/// # Panics
///
/// When its output was not asked for.
pub fn finish(mut child: Child, limit: Duration) -> Output {
    use std::io::Read;
    let mut out = child.stdout.take().expect("its output is piped");
    let mut err = child.stderr.take().expect("its errors are piped");
    let out = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    let err = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        err.read_to_end(&mut bytes).map(|_| bytes)
    });
    let end = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if Instant::now() > end {
            child.kill().expect("it is our child");
            break child.wait().expect("it is our child");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let whole = |reader: std::thread::JoinHandle<std::io::Result<Vec<u8>>>| {
        reader.join().ok().and_then(Result::ok).unwrap_or_default()
    };
    Output { status, stdout: whole(out), stderr: whole(err) }
}
