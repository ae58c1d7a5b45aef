//! The physical world: what stands where and what is in which well.
//!
//! [`World`] is the only way to change anything: it writes the event to the [truth log](log) and then
//! [applies](state) it. Nothing else is stored; a restart replays the log.

pub mod event;
pub mod log;
pub mod place;
pub mod plate;
pub mod state;
pub mod transfer;

pub use event::{Entry, Event};
pub use place::Place;
pub use plate::{Plate, Role};
pub use state::{Operation, OperationStatus, State};

use chrono::{DateTime, Utc};
use log::{Fsync, TruthLog};
use std::path::Path;

/// One physical world.
pub struct World {
    log: TruthLog,
    state: State,
    clock: fn() -> DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the truth log")]
    Log(#[from] log::Error),
    #[error("entry {seq} of the truth log cannot have happened: {why}")]
    Impossible { seq: u64, why: String },
}

impl World {
    /// A new world that begins with `genesis`; all of it or nothing is on disk afterwards.
    pub fn create(
        path: &Path,
        fsync: Fsync,
        clock: fn() -> DateTime<Utc>,
        genesis: Vec<Event>,
    ) -> Result<Self, Error> {
        TruthLog::create(path, clock(), genesis)?;
        Self::replay(path, fsync, clock)
    }

    /// The world as the log at `path` says it is.
    pub fn replay(path: &Path, fsync: Fsync, clock: fn() -> DateTime<Utc>) -> Result<Self, Error> {
        let (log, entries) = TruthLog::open(path, fsync)?;
        let mut state = State::default();
        for entry in &entries {
            apply(&mut state, entry)?;
        }
        Ok(Self { log, state, clock })
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// The number that the next event will have.
    pub fn next_seq(&self) -> u64 {
        self.log.next_seq()
    }

    /// It has happened: on disk first, then in the state.
    pub fn record(&mut self, event: Event) -> Result<(), Error> {
        // Tried on the state before it is written, so that the log never holds what replay refuses.
        self.state.check(&event).map_err(|why| Error::Impossible { seq: self.next_seq(), why })?;
        let entry = self.log.append((self.clock)(), event)?;
        apply(&mut self.state, &entry)
    }

    /// Everything recorded so far is on disk, whatever the fsync setting.
    pub fn sync(&mut self) -> Result<(), Error> {
        Ok(self.log.sync()?)
    }
}

fn apply(state: &mut State, entry: &Entry) -> Result<(), Error> {
    state.apply(entry).map_err(|why| Error::Impossible { seq: entry.seq, why })
}
