//! From an analysed protocol to an idle run of ours.

use super::analysis::Analysed;
use super::api::{ActionAnswer, Api};
use super::free::robot_busy;
use super::model::Run;
use crate::drivers::ready::NotReady;
use jobs::worker::Attempt;
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

/// Creates the run and readies it. Nothing has moved; it may still be given up.
pub(super) async fn create(
    api: &Api,
    analysed: &Analysed,
    attempt: &Attempt,
    instrument: &str,
) -> Result<Run, NotReady> {
    let created = api.create_run(&analysed.protocol_id, &analysed.parameter_files).await;
    let run = created.map_err(|error| match error.status() {
        Some(409) => robot_busy(format!("another run is under way on the robot ({error}).")),
        _ => error.before_begin("opentrons").into(),
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
            return Err(error.before_begin("opentrons").into());
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
