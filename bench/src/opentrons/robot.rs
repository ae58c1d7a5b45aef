//! The robot's memory, and who may touch it.
//!
//! Two locks that are never held together: the [`Desk`] (what HTTP shows) and the world (what is). A
//! step is first in the world's log, then on the desk.

use super::answer::Problem;
use super::data_files::DataFile;
use super::protocols::Protocol;
use super::run::{Run, Status};
use super::storage::{Error, Kind, Storage};
use crate::bench::Bench;
use axum::http::StatusCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Runs that are kept; the oldest go on their own.
pub const RUNS_KEPT: usize = 20;

pub struct Robot {
    bench: Arc<Bench>,
    storage: Storage,
    desk: Mutex<Desk>,
    /// Something on the desk changed that a run may be waiting for.
    changed: Condvar,
}

/// What HTTP shows and changes. Protocols, files and runs in the order they came.
#[derive(Default)]
pub struct Desk {
    pub protocols: Vec<Protocol>,
    pub data_files: Vec<DataFile>,
    pub runs: Vec<Run>,
    pub current: Option<String>,
    /// Somebody's maintenance run, if there is one.
    pub maintenance: Option<String>,
    /// A run was refused with a 500; so will be the next, whoever asks.
    pub poisoned: bool,
    pub client_data: BTreeMap<String, Value>,
}

impl Robot {
    /// As its disk says. A run that had not ended is lost.
    pub fn open(bench: Arc<Bench>) -> Result<Arc<Self>, Error> {
        let storage = Storage::open(bench.settings.dir.join(crate::world::place::HANDLER))?;
        let mut desk = Desk {
            protocols: storage.load(Kind::Protocol)?,
            data_files: storage.load(Kind::DataFile)?,
            runs: storage.load(Kind::Run)?,
            ..Desk::default()
        };
        desk.protocols.sort_by(|a, b| a.id.cmp(&b.id));
        desk.data_files.sort_by(|a, b| a.id.cmp(&b.id));
        // UUIDv7: in the order they were made.
        desk.runs.sort_by(|a, b| a.id.cmp(&b.id));
        for run in desk.runs.iter_mut().filter(|run| !run.status.is_terminal()) {
            run.lost = true;
            run.status = Status::Stopped;
            run.commands.clear();
        }
        Ok(Arc::new(Self { bench, storage, desk: Mutex::new(desk), changed: Condvar::new() }))
    }

    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The desk, for one step; never while holding the world.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a waiting run to look at the desk again.
    pub fn wake(&self) {
        self.changed.notify_all();
    }

    /// Gives the desk away until [`wake`](Self::wake).
    pub fn wait<'a>(&self, desk: MutexGuard<'a, Desk>) -> MutexGuard<'a, Desk> {
        self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    pub fn is_current(&self, id: &str) -> bool {
        self.current.as_deref() == Some(id)
    }

    pub fn run(&self, id: &str) -> Result<&Run, Problem> {
        self.runs.iter().find(|run| run.id == id).ok_or_else(|| Problem::run_not_found(id))
    }

    pub fn run_mut(&mut self, id: &str) -> Result<&mut Run, Problem> {
        self.runs.iter_mut().find(|run| run.id == id).ok_or_else(|| Problem::run_not_found(id))
    }

    pub fn protocol(&self, id: &str) -> Result<&Protocol, Problem> {
        self.protocols
            .iter()
            .find(|protocol| protocol.id == id)
            .ok_or_else(|| Problem::protocol_not_found(id))
    }

    pub fn protocol_mut(&mut self, id: &str) -> Result<&mut Protocol, Problem> {
        self.protocols
            .iter_mut()
            .find(|protocol| protocol.id == id)
            .ok_or_else(|| Problem::protocol_not_found(id))
    }

    pub fn data_file(&self, id: &str) -> Result<&DataFile, Problem> {
        self.data_files.iter().find(|file| file.id == id).ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "FileIdNotFound",
                "Specified file id not found on the robot",
                format!("Data file {id} was not found."),
            )
        })
    }
}
