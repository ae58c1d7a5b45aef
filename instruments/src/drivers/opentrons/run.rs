//! From an analysed protocol to an idle run of ours on a robot that nobody else uses.

use super::analysis::Analysed;
use super::api::{ActionAnswer, Api};
use super::model::{Run, RunStatus};
use jobs::worker::Attempt;
use jobs::{Failure, FailureClass};
use serde_json::{Value, json};

/// What the commands of our protocol can run into. Without a rule a robot without a person waits for ever.
const RECOVERABLE: [(&str, &str); 12] = [
    ("pickUpTip", "tipPhysicallyMissing"),
    ("pickUpTip", "stallOrCollision"),
    ("aspirate", "overpressure"),
    ("aspirate", "liquidNotFound"),
    ("aspirate", "stallOrCollision"),
    ("dispense", "overpressure"),
    ("dispense", "stallOrCollision"),
    ("dropTip", "tipPhysicallyAttached"),
    ("dropTip", "stallOrCollision"),
    ("dropTipInPlace", "tipPhysicallyAttached"),
    ("moveToAddressableAreaForDropTip", "stallOrCollision"),
    ("liquidProbe", "liquidNotFound"),
];

/// Nobody else has a run on the robot. A run that is over may be replaced; an idle one only when it is of
/// our own protocol (left by an attempt that never played it).
pub(super) async fn check_free(api: &Api, protocol_id: &str) -> Result<(), Failure> {
    let current = api.current_run().await.map_err(|error| error.before_begin("opentrons"))?;
    match current {
        Some(run) if !may_be_replaced(&run, protocol_id) => {
            let message = format!(
                "Nothing was begun: run {} is on the robot ({}). It was not made here; end it at the robot, or wait.",
                run.id,
                status_word(&run.status)
            );
            Err(Failure::new(FailureClass::Transient, "opentrons.robot_busy", message))
        }
        _ => Ok(()),
    }
}

fn may_be_replaced(run: &Run, protocol_id: &str) -> bool {
    let left_by_us = run.status == RunStatus::Idle && run.protocol_id.as_deref() == Some(protocol_id);
    !run.current || run.status.is_terminal() || left_by_us
}

fn status_word(status: &RunStatus) -> String {
    format!("{status:?}").to_lowercase()
}

/// Creates the run and readies it. Nothing has moved; it may still be given up.
pub(super) async fn create(
    api: &Api,
    analysed: &Analysed,
    attempt: &Attempt,
    instrument: &str,
) -> Result<Run, Failure> {
    let created = api.create_run(&analysed.protocol_id, &analysed.parameter_files).await;
    let run = created.map_err(|error| match error.status() {
        Some(409) => {
            let message = format!("Nothing was begun: another run is under way on the robot ({error}).");
            Failure::new(FailureClass::Transient, "opentrons.robot_busy", message)
        }
        _ => error.before_begin("opentrons"),
    })?;
    let rules: Vec<Value> = RECOVERABLE.iter().map(|(command, error)| fail_run(command, error)).collect();
    let policy = json!({ "policyRules": rules });
    match api.put_error_recovery_policy(&run.id, &policy).await {
        // A server without error recovery needs no rule.
        Err(error) if error.status() == Some(404) => {
            tracing::debug!(%error, "no error recovery here")
        }
        Err(error) => {
            give_up(api, &run.id).await;
            return Err(error.before_begin("opentrons"));
        }
        Ok(()) => {}
    }
    let owner = json!({
        "owner": format!("loopwright agent of {instrument}"),
        "job": attempt.lease().job_id.to_string(),
        "attempt": attempt.lease().attempt,
        "run": run.id,
    });
    if let Err(error) = api.put_client_data(&owner).await {
        tracing::warn!(%error, "other clients are not told who is at work");
    }
    Ok(run)
}

fn fail_run(command: &str, error: &str) -> Value {
    json!({
        "matchCriteria": {"command": {"commandType": command, "error": {"errorType": error}}},
        "ifMatch": "failRun",
    })
}

/// Ends an idle run that is not to be played. Best effort: left idle, it harms nobody.
pub(super) async fn give_up(api: &Api, run: &str) {
    match api.act(run, "stop").await {
        Ok(ActionAnswer::Taken | ActionAnswer::NotAllowed) => {}
        Err(error) => tracing::warn!(%error, run, "an idle run is left on the robot"),
    }
}
