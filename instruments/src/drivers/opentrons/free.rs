//! Whether the robot is free to begin: nobody's run on it, nobody at work in it, its door closed.

use super::api::Api;
use super::model::{Run, RunStatus};
use crate::drivers::ready::NotReady;
use jobs::{Failure, FailureClass};

/// Nobody else has a run on the robot, a maintenance run neither, and it may be played. A run that is over may be replaced;
/// an idle one only when it is our own, left by an attempt that never played it.
pub(super) async fn check(api: &Api, protocol_id: &str) -> Result<(), NotReady> {
    let current = api.current_run().await.map_err(|error| error.before_begin("opentrons"))?;
    if let Some(run) = current
        && !may_be_replaced(api, &run, protocol_id).await?
    {
        let status = format!("{:?}", run.status).to_lowercase();
        return Err(robot_busy(format!(
            "run {} is on the robot ({status}). It was not made here; end it at the robot, or wait.",
            run.id
        )));
    }
    if let Some(maintenance) = api.maintenance_run().await.map_err(|error| error.before_begin("opentrons"))? {
        return Err(robot_busy(format!(
            "somebody is at work in the robot (maintenance run {maintenance}), and a run that is played would end that. Finish it at the robot, or wait."
        )));
    }
    if api.is_door_in_the_way().await.map_err(|error| error.before_begin("opentrons"))? {
        let message =
            "Nothing was begun: the robot's door is open, and it plays nothing until that is closed.";
        return Err(NotReady::InUse(Failure::new(FailureClass::Transient, "opentrons.door_open", message)));
    }
    Ok(())
}

/// Ours is an idle run of our own protocol, or one that we have published as ours: labware or a newer version of us make
/// another protocol.
async fn may_be_replaced(api: &Api, run: &Run, protocol_id: &str) -> Result<bool, Failure> {
    if !run.current || run.status.is_terminal() {
        return Ok(true);
    }
    if run.status != RunStatus::Idle {
        return Ok(false);
    }
    if run.protocol_id.as_deref() == Some(protocol_id) {
        return Ok(true);
    }
    let published = api.client_data().await.map_err(|error| error.before_begin("opentrons"))?;
    Ok(published.is_some_and(|ours| ours.get("run").and_then(|id| id.as_str()) == Some(&run.id)))
}

/// Somebody else uses it; nothing was begun.
pub(super) fn robot_busy(why: String) -> NotReady {
    let message = format!("Nothing was begun: {why}");
    NotReady::InUse(Failure::new(FailureClass::Transient, "opentrons.robot_busy", message))
}
