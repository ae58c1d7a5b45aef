//! A demo in a folder of its own, started, killed and asked by tests.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Folder of the built binaries: beside this test's own.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is not built: run `make test`, or `cargo build --workspace --bins`",
        path.display()
    );
    path
}

pub struct Laboratory {
    folder: tempfile::TempDir,
    pub arguments: Vec<String>,
}

impl Laboratory {
    pub fn new(arguments: &[&str]) -> Self {
        // PostgreSQL's own user must be able to pass through.
        let folder = tempfile::Builder::new().prefix("lw-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        Self { folder, arguments: arguments.iter().map(|text| (*text).to_owned()).collect() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(binary("loopwright"));
        command
            .arg("demo")
            .args(["--headless", "--json", "--auto-approve", "--data-dir"])
            .arg(self.path().join("demo"))
            .args(&self.arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end; answers the last JSON object.
    pub fn run(&self, limit: Duration) -> Value {
        let output = finish(self.start(), limit);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "the demo failed:\n{err}\n{}", self.logs());
        let last = out.lines().last().unwrap_or_else(|| panic!("no JSON at the end:\n{err}"));
        serde_json::from_str(last).unwrap()
    }

    pub fn start(&self) -> Child {
        self.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The bench's truth, an object a line.
    pub fn truth(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path().join("demo/bench/truth.jsonl")).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Last lines of every log, for a failing test's message.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        let Ok(entries) = std::fs::read_dir(self.path().join("demo/logs")) else { return text };
        for entry in entries.flatten() {
            let log = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(8).collect();
            text += &format!("--- {}\n", entry.file_name().display());
            text.extend(tail.into_iter().rev().map(|line| format!("{line}\n")));
        }
        text
    }
}

/// Waits for `child`, killing it after `limit`.
pub fn finish(mut child: Child, limit: Duration) -> Output {
    use std::io::Read;
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
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
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
            break child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    Output { status, stdout: out.join().unwrap().unwrap(), stderr: err.join().unwrap().unwrap() }
}
