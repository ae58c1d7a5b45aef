//! The process of the reference: an order a line in, seconds a line out.

use super::made_up;
use anyhow::Context;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Reference {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What it was given; gone with it.
    _data: tempfile::TempDir,
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
}

impl Reference {
    /// Gives it the made-up edits of [`made_up::genes`].
    pub fn start(python: &Path, program: &Path, threads: u16) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        made_up::write(&made_up::genes()?, data.path())?;
        let mut process = Command::new(python)
            .arg(program)
            .arg(data.path())
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", python.display()))?;
        let orders = process.stdin.take().context("the reference has no input")?;
        let answers = BufReader::new(process.stdout.take().context("the reference has no output")?);
        Ok(Self { process, orders, answers, _data: data })
    }

    /// Seconds that `order` took.
    pub fn does(&mut self, order: &str) -> anyhow::Result<f64> {
        writeln!(self.orders, "{order}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let answer: Answer = serde_json::from_str(&line).context("the reference did not answer")?;
        Ok(answer.seconds)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // It waits for orders only.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
