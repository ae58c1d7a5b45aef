//! The world's steps by name, each with the moments at which a test may kill something ([`instruments::crash`]).
//!
//! Whatever happens is an event: *before* it has not happened, *during* it is written and not yet on the disk,
//! *after* it has happened and nobody was told.

use crate::opentrons::storage::Kind;
use crate::world::Event;

instruments::steps! {
    /// What happens in a world, and what the liquid handler keeps of it.
    pub enum Step {
        Restarted = "truth.restarted" [Before, During, After],
        OperationStarted = "truth.operation_started" [Before, During, After],
        OperationFinished = "truth.operation_finished" [Before, During, After],
        PlateMoved = "truth.plate_moved" [Before, During, After],
        Incubated = "truth.incubated" [Before, During, After],
        PlateRead = "truth.plate_read" [Before, During, After],
        Transferred = "truth.transferred" [Before, During, After],
        PlateAffected = "truth.plate_affected" [Before, During, After],
        KeepProtocol = "robot.keep_protocol" [Before, After],
        KeepDataFile = "robot.keep_data_file" [Before, After],
        KeepRun = "robot.keep_run" [Before, After],
    }
}

impl Step {
    /// `None` for what the world begins with.
    pub fn of_event(event: &Event) -> Option<Self> {
        Some(match event {
            Event::WorldCreated { .. } | Event::PlateCreated(_) => return None,
            Event::Restarted => Self::Restarted,
            Event::OperationStarted { .. } => Self::OperationStarted,
            Event::OperationFinished { .. } => Self::OperationFinished,
            Event::PlateMoved { .. } => Self::PlateMoved,
            Event::Incubated { .. } => Self::Incubated,
            Event::PlateRead { .. } => Self::PlateRead,
            Event::Transferred(_) => Self::Transferred,
            Event::PlateAffected { .. } => Self::PlateAffected,
        })
    }

    pub fn of_kept(kind: Kind) -> Self {
        match kind {
            Kind::Protocol => Self::KeepProtocol,
            Kind::DataFile => Self::KeepDataFile,
            Kind::Run => Self::KeepRun,
        }
    }
}
