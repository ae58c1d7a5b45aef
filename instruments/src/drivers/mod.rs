//! Drivers: each carries out one kind of job on one kind of device, as a [`Handler`].
//!
//! ```text
//! check the job -> check the device -> Attempt::begin -> ask the device -> follow to its end -> Outcome
//! ```
//!
//! - Nothing moves before `begin`; what is refused before it is `Failed` and may be tried again.
//! - After it, a device that does not answer is waited for ([`Timings::patience`]): its work goes on
//!   without us. Only then is the outcome `Unknown`. The same when our authority is lost: what has begun is
//!   brought to its end and told, nothing else is begun.
//! - A physical step is never asked for twice. The small devices know an operation by the id that we
//!   chose; an Opentrons run is written down before it is played.
//! - What the device says is passed on as said; what it does not say is not made up.
//!
//! Deliberately absent: retries of physical steps, schedules, anything biological.

mod device;
pub mod incubator;
pub mod mover;
pub mod opentrons;
mod operation;
pub mod reader;
pub mod steps;
mod timings;

pub use device::DeviceError;
pub use timings::Timings;

use jobs::work::Kind;
use jobs::worker::Handler;
use std::str::FromStr;
use std::sync::Arc;

/// A driver by name, as it stands in an agent's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DriverKind {
    Opentrons,
    Mover,
    Incubator,
    Reader,
}

/// A word that names no driver.
#[derive(Debug, thiserror::Error)]
#[error("there is no driver {0:?}; there are opentrons, mover, incubator, reader")]
pub struct UnknownDriver(String);

/// A driver could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{0:?} is not the http or https address of a device")]
    Address(String),
    #[error("the HTTP client could not be made")]
    Http(#[source] reqwest::Error),
}

impl DriverKind {
    pub const ALL: [Self; 4] = [Self::Opentrons, Self::Mover, Self::Incubator, Self::Reader];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opentrons => "opentrons",
            Self::Mover => "mover",
            Self::Incubator => "incubator",
            Self::Reader => "reader",
        }
    }

    /// The kind of job it carries out; its `capability()` and `queue()` are what an agent offers.
    pub fn job_kind(self) -> Kind {
        match self {
            Self::Opentrons => Kind::Dispense,
            Self::Mover => Kind::Move,
            Self::Incubator => Kind::Incubate,
            Self::Reader => Kind::Read,
        }
    }

    /// The driver for the device at `url`. `instrument`: the device's name in locations, e.g.
    /// `incubator-1`; a job that names another device is refused.
    pub fn connect(
        self,
        url: &str,
        instrument: &str,
        timings: Timings,
    ) -> Result<Arc<dyn Handler>, SetupError> {
        Ok(match self {
            Self::Opentrons => Arc::new(opentrons::Opentrons::connect(url, instrument, timings)?),
            Self::Mover => Arc::new(mover::Mover::connect(url, instrument, timings)?),
            Self::Incubator => Arc::new(incubator::Incubator::connect(url, instrument, timings)?),
            Self::Reader => Arc::new(reader::Reader::connect(url, instrument, timings)?),
        })
    }
}

impl FromStr for DriverKind {
    type Err = UnknownDriver;
    fn from_str(word: &str) -> Result<Self, UnknownDriver> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| UnknownDriver(word.to_owned()))
    }
}
