//! Drivers: each carries out one kind of job on one kind of device, as a [`Handler`].
//!
//! ```text
//! check the job -> check the device -> Attempt::begin -> ask the device -> follow to its end -> Outcome
//! ```
//!
//! - Nothing moves before `begin`; what is refused before it is `Failed` and may be tried again. A device that
//!   is out of reach just then is waited for a while ([`Timings::readiness`]), one that somebody uses as long as he may take
//!   ([`Timings::in_use`]).
//! - Whether we may is looked at before everything that begins: who was asked to stop, or has lost the
//!   authority, only looks on.
//! - After it, a device that does not answer is waited for ([`Timings::patience`]): its work goes on
//!   without us. Only then is the outcome `Unknown`. The same when our authority is lost: what has begun is
//!   brought to its end and told, nothing else is begun.
//! - A physical step is never asked for twice. The small devices know an operation by the id that we
//!   chose; an Opentrons run is written down before it is played.
//! - What the device says is passed on as said; what it does not say is not made up.
//!
//! Deliberately absent: retries of physical steps, schedules, anything biological.

mod device;
pub mod folder;
pub mod incubator;
pub mod mover;
pub mod opentrons;
mod operation;
pub mod reader;
mod ready;
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
    FolderHandler,
    FolderReader,
}

/// A word that names no driver.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no driver {0:?}; there are opentrons, mover, incubator, reader, folder-handler, folder-reader"
)]
pub struct UnknownDriver(String);

/// A driver could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{0:?} is not the http or https address of a device")]
    Address(String),
    #[error("the driver {0} needs the file with its folders (--device-file)")]
    NoFile(&'static str),
    #[error("the driver {0} needs the address of its device (--device-url)")]
    NoAddress(&'static str),
    #[error("only the driver opentrons knows a robot by its own name (--robot), {0} does not")]
    NoRobot(&'static str),
    #[error(transparent)]
    Folders(#[from] folder::SettingsError),
    #[error("the HTTP client could not be made")]
    Http(#[source] reqwest::Error),
}

impl DriverKind {
    pub const ALL: [Self; 6] = [
        Self::Opentrons,
        Self::Mover,
        Self::Incubator,
        Self::Reader,
        Self::FolderHandler,
        Self::FolderReader,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opentrons => "opentrons",
            Self::Mover => "mover",
            Self::Incubator => "incubator",
            Self::Reader => "reader",
            Self::FolderHandler => "folder-handler",
            Self::FolderReader => "folder-reader",
        }
    }

    /// The kind of job it carries out; its `capability()` and `queue()` are what an agent offers.
    pub fn job_kind(self) -> Kind {
        match self {
            Self::Opentrons | Self::FolderHandler => Kind::Dispense,
            Self::Mover => Kind::Move,
            Self::Incubator => Kind::Incubate,
            Self::Reader | Self::FolderReader => Kind::Read,
        }
    }

    /// The driver for the device that is reached `by`. `instrument`: the device's name in locations, e.g.
    /// `incubator-1`; a job that names another device is refused.
    pub fn connect(
        self,
        by: Reached<'_>,
        instrument: &str,
        timings: Timings,
    ) -> Result<Arc<dyn Handler>, SetupError> {
        Ok(match (self, by) {
            (Self::Opentrons, Reached::ByUrl(url)) => {
                Arc::new(opentrons::Opentrons::connect(url, instrument, timings)?)
            }
            (Self::Opentrons, Reached::Robot { url, named }) => {
                Arc::new(opentrons::Opentrons::connect(url, instrument, timings)?.that_is(named))
            }
            (Self::Mover, Reached::ByUrl(url)) => Arc::new(mover::Mover::connect(url, instrument, timings)?),
            (Self::Incubator, Reached::ByUrl(url)) => {
                Arc::new(incubator::Incubator::connect(url, instrument, timings)?)
            }
            (Self::Reader, Reached::ByUrl(url)) => {
                Arc::new(reader::Reader::connect(url, instrument, timings)?)
            }
            (Self::FolderHandler, Reached::ByFolders(file)) => {
                Arc::new(folder::FolderHandler::open(file, instrument, timings)?)
            }
            (Self::FolderReader, Reached::ByFolders(file)) => {
                Arc::new(folder::FolderReader::open(file, instrument, timings)?)
            }
            (driver @ (Self::FolderHandler | Self::FolderReader), _) => {
                return Err(SetupError::NoFile(driver.as_str()));
            }
            (driver, Reached::Robot { .. }) => return Err(SetupError::NoRobot(driver.as_str())),
            (driver, Reached::ByFolders(_)) => return Err(SetupError::NoAddress(driver.as_str())),
        })
    }
}

/// How a device is spoken to.
#[derive(Clone, Copy, Debug)]
pub enum Reached<'a> {
    /// Its own HTTP API.
    ByUrl(&'a str),
    /// The same of a robot that has to have this name or serial number: whatever answers otherwise is not it.
    Robot { url: &'a str, named: &'a str },
    /// Folders, as this file describes them.
    ByFolders(&'a std::path::Path),
}

impl FromStr for DriverKind {
    type Err = UnknownDriver;
    fn from_str(word: &str) -> Result<Self, UnknownDriver> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| UnknownDriver(word.to_owned()))
    }
}
