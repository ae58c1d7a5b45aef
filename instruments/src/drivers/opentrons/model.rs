//! The parts of the robot's answers that we read. What we do not read is kept raw in the archive.

use serde::Deserialize;
use serde_json::Value;

/// Everything comes wrapped.
#[derive(Debug, Deserialize)]
pub(super) struct Body<T> {
    pub data: T,
    #[serde(default)]
    pub links: Option<Value>,
    #[serde(default)]
    pub meta: Option<Meta>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    /// Where the page really begins: the server moves a cursor past the end back to the last command.
    pub cursor: u64,
    pub total_length: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Health {
    pub name: String,
    pub robot_model: String,
    pub api_version: String,
    #[serde(default)]
    pub robot_serial: Option<String>,
    #[serde(default)]
    pub maximum_protocol_api_version: Option<(u32, u32)>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Door {
    /// `open`, `closed`
    pub status: String,
    #[serde(default)]
    pub door_required_closed_for_protocol: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Analysis {
    pub status: String,
    #[serde(default)]
    pub result: Option<String>,
    #[serde(default)]
    pub errors: Vec<RobotError>,
    #[serde(default)]
    pub run_time_parameters: Vec<Parameter>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameter {
    pub variable_name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub file: Option<ParameterFile>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ParameterFile {
    #[serde(default)]
    pub id: Option<String>,
}

/// An error and what it was wrapped around; the useful one is the innermost.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RobotError {
    pub error_type: String,
    pub error_code: String,
    pub detail: String,
    pub wrapped_errors: Vec<RobotError>,
}

impl RobotError {
    pub fn innermost(&self) -> &Self {
        let mut error = self;
        while let Some(inner) = error.wrapped_errors.first() {
            error = inner;
        }
        error
    }
}

impl std::fmt::Display for RobotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} {})", self.detail, self.error_code, self.error_type)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub id: String,
    /// `false`: the record was lost with the robot's power.
    #[serde(default = "yes")]
    pub ok: bool,
    pub status: RunStatus,
    #[serde(default)]
    pub current: bool,
    #[serde(default)]
    pub protocol_id: Option<String>,
    #[serde(default)]
    pub has_ever_entered_error_recovery: bool,
    #[serde(default)]
    pub errors: Vec<RobotError>,
    #[serde(default)]
    pub labware: Vec<LoadedLabware>,
    #[serde(default)]
    pub actions: Option<Vec<RunAction>>,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunAction {
    pub action_type: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct LoadedLabware {
    pub id: String,
    #[serde(default)]
    pub location: Value,
}

/// The states of a run. A word that we do not know is neither an end nor a beginning: we go on looking.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RunStatus {
    Idle,
    Running,
    Paused,
    Finishing,
    StopRequested,
    Stopped,
    Failed,
    Succeeded,
    AwaitingRecovery,
    AwaitingRecoveryPaused,
    AwaitingRecoveryBlockedByOpenDoor,
    BlockedByOpenDoor,
    #[serde(untagged)]
    Other(String),
}

impl RunStatus {
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Stopped | Self::Failed | Self::Succeeded)
    }

    /// What a person has to do for it to go on.
    pub fn waits_for(&self) -> Option<&'static str> {
        match self {
            Self::Paused => Some("paused: somebody has to resume it"),
            Self::BlockedByOpenDoor => Some("the robot's door is open: close it and resume"),
            Self::AwaitingRecovery | Self::AwaitingRecoveryPaused => {
                Some("waits in error recovery: somebody has to decide at the robot")
            }
            Self::AwaitingRecoveryBlockedByOpenDoor => {
                Some("waits in error recovery with its door open: somebody has to decide at the robot")
            }
            _ => None,
        }
    }
}

/// A command of a run. Lists of commands leave `result` out; the command itself has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Command {
    pub id: String,
    pub command_type: String,
    pub status: String,
    #[serde(default)]
    pub params: Params,
    #[serde(default)]
    pub result: Option<CommandResult>,
    #[serde(default)]
    pub error: Option<RobotError>,
}

impl Command {
    /// It will not change any more.
    pub fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "failed")
    }

    pub fn is_dispense(&self) -> bool {
        self.command_type == "dispense"
    }

    pub fn is_aspirate(&self) -> bool {
        self.command_type == "aspirate"
    }

    /// It was begun, and liquid may have moved in it.
    pub fn has_touched_liquid(&self) -> bool {
        matches!(self.command_type.as_str(), "aspirate" | "dispense" | "blowout" | "dispenseInPlace")
            && self.status != "queued"
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Params {
    pub labware_id: Option<String>,
    pub well_name: Option<String>,
    /// µL
    pub volume: Option<f64>,
    pub location: Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CommandResult {
    pub labware_id: Option<String>,
    /// µL
    pub volume: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_that_is_new_to_us_is_no_end() {
        let run: Run = serde_json::from_value(json!({"id": "r", "status": "blocked-by-a-cat"})).unwrap();
        assert_eq!(run.status, RunStatus::Other("blocked-by-a-cat".to_owned()));
        assert!(run.ok && !run.status.is_terminal());
        let known: RunStatus = serde_json::from_value(json!("awaiting-recovery")).unwrap();
        assert_eq!(known, RunStatus::AwaitingRecovery);
        let door: RunStatus =
            serde_json::from_value(json!("awaiting-recovery-blocked-by-open-door")).unwrap();
        assert_eq!(door, RunStatus::AwaitingRecoveryBlockedByOpenDoor);
    }

    #[test]
    fn the_innermost_error_is_the_useful_one() {
        let error: RobotError = serde_json::from_value(json!({
            "errorCode": "4000", "errorType": "ProtocolCommandFailedError", "detail": "outer",
            "wrappedErrors": [{"errorCode": "4000", "detail": "middle", "wrappedErrors": [{"errorCode": "3010", "errorType": "X", "detail": "no p20"}]}]
        })).unwrap();
        assert_eq!(error.innermost().to_string(), "no p20 (3010 X)");
    }
}
