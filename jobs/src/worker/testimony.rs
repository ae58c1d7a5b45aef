//! What the worker itself says of an attempt when its handler cannot.

use super::panic::Panicked;
use crate::failure::{Failure, FailureClass};
use crate::wire::Lease;
use crate::work::Outcome;

/// The handler panicked. Work that was begun and may not be repeated is unknown, whatever the panic was.
pub(super) fn after_panic(lease: &Lease, begun: bool, panicked: &Panicked) -> Outcome {
    let message = format!(
        "The worker's own code failed ({}). Report this to its makers with the worker's log.",
        panicked.0
    );
    let failure = Failure::new(FailureClass::Bug, "worker.panicked", message);
    if begun && !lease.repeatable {
        return Outcome::Unknown { failure };
    }
    Outcome::Failed { failure }
}

/// Killed after the beginning was written down and before the server's answer was: nothing had moved.
pub(super) fn killed_before_it_began() -> Outcome {
    let message = "The worker was restarted after it had announced the work and before it began it. \
                   Nothing has moved.";
    Outcome::Failed { failure: Failure::new(FailureClass::Transient, "worker.killed_before_begin", message) }
}

/// Killed in the middle, and the device has nothing to say.
pub(super) fn killed_in_the_middle() -> Outcome {
    let message = "The worker was restarted in the middle of the work, and the device cannot say how it \
                   ended. Look at the plates, then record what happened.";
    Outcome::Unknown { failure: Failure::new(FailureClass::NeedsPerson, "worker.killed_midway", message) }
}
