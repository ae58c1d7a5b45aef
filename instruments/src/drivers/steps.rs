//! The drivers' steps by name, each with the moments at which a test may kill something ([`jobs::crash`]).

use jobs::crash::{self, Moment};

jobs::steps! {
    /// What drivers do with their devices.
    pub enum Step {
        /// After: the robot has an idle run of ours, and our disk knows nothing of it.
        CreateRun = "opentrons.create_run" [Before, After],
        /// After: it plays, or does not: the answer was not looked at.
        Play = "opentrons.play" [Before, After],
        Follow = "opentrons.follow" [During],
        /// Before: the run is over, and its record is with the robot alone.
        Archive = "opentrons.archive" [Before, After],
        /// After: the device has answered, and our disk does not say so.
        Ask = "operation.ask" [Before, After],
        /// Before: the request stands ready. After: it lies in the device's folder, or the device has taken it.
        AskByFile = "folder.ask" [Before, After],
        FollowFile = "folder.follow" [During],
        FollowOperation = "operation.follow" [Before, During],
    }
}

pub(super) async fn before(step: Step) {
    crash::point(step, Moment::Before).await;
}

pub(super) async fn during(step: Step) {
    crash::point(step, Moment::During).await;
}

pub(super) async fn after(step: Step) {
    crash::point(step, Moment::After).await;
}
