//! The whole record of a run: every command with its result, every error. The robot keeps 20 runs only.

use super::super::device::DeviceError;
use super::super::timings::Watch;
use super::api::{Api, command_in};
use super::model::{Command, Run};
use serde_json::{Value, json};

const PAGE: u64 = 500;

/// The commands of a run from the first on, read with a cursor of our own.
pub(super) struct History {
    run: String,
    raw: Vec<Value>,
    dispenses: usize,
}

/// Everything that the robot says of a run that is over.
pub(super) struct Record {
    pub commands: Vec<Command>,
    /// For the blob store.
    pub raw: Vec<u8>,
    /// What of it could not be had.
    pub missing: Option<String>,
}

impl History {
    pub fn new(run: &str) -> Self {
        Self { run: run.to_owned(), raw: Vec::new(), dispenses: 0 }
    }

    /// Dispenses that are over.
    pub fn dispenses(&self) -> usize {
        self.dispenses
    }

    /// Reads on to the first command that is not over.
    pub async fn advance(&mut self, api: &Api) -> Result<(), DeviceError> {
        self.read(api, false).await
    }

    /// Reads on to the last command, over or not.
    async fn read(&mut self, api: &Api, to_the_end: bool) -> Result<(), DeviceError> {
        loop {
            let cursor = self.raw.len() as u64;
            let (page, total) = api.commands(&self.run, cursor, PAGE).await?;
            for raw in page {
                let command = command_in(&raw);
                if !to_the_end && command.as_ref().is_some_and(|command| !command.is_final()) {
                    return Ok(());
                }
                self.dispenses += usize::from(command.is_some_and(|command| command.is_dispense()));
                self.raw.push(raw);
            }
            let read = self.raw.len() as u64;
            if read >= total || read == cursor {
                return Ok(());
            }
        }
    }
}

/// Completes the history of `run`, which is over, and packs all of it. A robot that does not answer, or breaks
/// down over it, is waited for; what it refuses is left out and said.
pub(super) async fn archive(
    api: &Api,
    run: &Run,
    raw_run: Value,
    mut history: History,
    picklist: &str,
) -> Record {
    let mut missing = None;
    let mut watch = Watch::new(api.timings());
    let errors = loop {
        match complete(api, &run.id, &mut history).await {
            Ok(errors) => break errors,
            Err(error) if error.is_passing() && !watch.is_patience_over() => {
                tracing::warn!(%error, run = %run.id, "reading its record again");
                watch.pause().await;
            }
            Err(error) => {
                missing = Some(error.to_string());
                break Value::Null;
            }
        }
    };
    let commands = history.raw.iter().filter_map(command_in).collect();
    let record = json!({
        "run": raw_run,
        "commands": history.raw,
        "commandErrors": errors,
        "picklist": picklist,
        "missing": missing,
    });
    Record { commands, raw: record.to_string().into_bytes(), missing }
}

async fn complete(api: &Api, run: &str, history: &mut History) -> Result<Value, DeviceError> {
    history.read(api, true).await?;
    for raw in &mut history.raw {
        let Some(command) = command_in(raw) else {
            continue;
        };
        let wanted = matches!(command.command_type.as_str(), "dispense" | "loadLabware");
        // Lists of commands leave the result out.
        if wanted && command.status == "succeeded" && command.result.is_none() {
            *raw = api.command(run, &command.id).await?;
        }
    }
    match api.command_errors(run).await {
        // Older servers have no such list; the errors are in the commands.
        Err(error) if error.status() == Some(404) => Ok(Value::Null),
        result => result,
    }
}
