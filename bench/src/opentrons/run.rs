//! One run, and the rules of its states.
//!
//! ```text
//!   idle -play-> running <-pause/play-> paused          running -> finishing -> succeeded | failed
//!   running -> awaiting-recovery -resume-from-recovery-> running
//!   idle -stop-> stopped      running | paused | awaiting-recovery -stop-> stop-requested -> stopped
//! ```

use super::failure::ErrorOccurrence;
use super::parameters::{Declared, Given};
use super::policy::Rule;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Idle,
    Running,
    Paused,
    AwaitingRecovery,
    StopRequested,
    Stopped,
    Finishing,
    Succeeded,
    Failed,
}

impl Status {
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Stopped | Self::Succeeded | Self::Failed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Play,
    Pause,
    Stop,
    ResumeFromRecovery,
}

/// What an action leads to, where it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The run begins: someone has to carry it out.
    Begin,
    To(Status),
    Nothing,
}

/// The action is not for this state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAllowed(pub &'static str);

/// What `action` does to a run in `status`.
pub fn next(status: Status, action: Action) -> Result<Step, NotAllowed> {
    use Status::{AwaitingRecovery, Finishing, Idle, Paused, Running, StopRequested};
    match (action, status) {
        (Action::Play, Idle) => Ok(Step::Begin),
        (Action::Play, Paused) => Ok(Step::To(Running)),
        (Action::Play, Running | Finishing) => Ok(Step::Nothing),
        (Action::Play, AwaitingRecovery) => Err(NotAllowed("Cannot play a run that is awaiting recovery.")),
        (Action::Pause, Running) => Ok(Step::To(Paused)),
        (Action::Stop, Idle) => Ok(Step::To(Status::Stopped)),
        (Action::Stop, Running | Paused | AwaitingRecovery) => Ok(Step::To(StopRequested)),
        // Also after the end; older servers answer 409 there.
        (Action::Stop, _) => Ok(Step::Nothing),
        (Action::ResumeFromRecovery, AwaitingRecovery) => Ok(Step::To(Running)),
        (Action::ResumeFromRecovery, _) => {
            Err(NotAllowed("Cannot resume from recovery: the run is not in recovery mode."))
        }
        (Action::Pause, Idle | Paused | AwaitingRecovery | Finishing) => {
            Err(NotAllowed("Cannot pause a run that is not running."))
        }
        (_, _) => Err(NotAllowed("The run has already stopped.")),
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub status: Status,
    pub protocol_id: String,
    pub declared: Vec<Declared>,
    pub given: Given,
    pub actions: Vec<Value>,
    pub errors: Vec<ErrorOccurrence>,
    pub command_errors: Vec<ErrorOccurrence>,
    pub commands: Vec<Command>,
    pub labware: Vec<Value>,
    pub pipettes: Vec<Value>,
    pub rules: Vec<Rule>,
    pub has_ever_entered_error_recovery: bool,
    /// The robot was killed before the run ended: what it did is not known here.
    #[serde(default)]
    pub lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandStatus {
    Running,
    Succeeded,
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    pub id: String,
    pub key: String,
    pub command_type: String,
    pub created_at: DateTime<Utc>,
    pub started_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub status: CommandStatus,
    pub params: Value,
    pub result: Option<Value>,
    pub error: Option<ErrorOccurrence>,
    pub intent: String,
}

impl Run {
    /// As `GET /runs/{id}` shows it; `file_name` names a data file by its id.
    pub fn view(&self, current: bool, file_name: impl Fn(&str) -> String) -> Value {
        let parameters: Vec<Value> = self
            .declared
            .iter()
            .map(|one| {
                let file = self.given.files.get(&one.variable_name);
                let named = file.map(|id| (id.as_str(), file_name(id)));
                one.view(named.as_ref().map(|(id, name)| (*id, name.as_str())))
            })
            .collect();
        let mut view = json!({
            "id": self.id,
            "ok": !self.lost,
            "createdAt": self.created_at,
            "status": if self.lost { Status::Stopped } else { self.status },
            "current": current,
            "actions": self.actions,
            "errors": self.errors,
            "hasEverEnteredErrorRecovery": self.has_ever_entered_error_recovery,
            "pipettes": self.pipettes,
            "modules": [],
            "labware": self.labware,
            "liquids": [],
            "liquidClasses": [],
            "labwareOffsets": [],
            "runTimeParameters": parameters,
            "outputFileIds": [],
            "protocolId": self.protocol_id,
        });
        if let Some(fields) = view.as_object_mut() {
            if let Some(at) = self.started_at.filter(|_| !self.lost) {
                fields.insert("startedAt".to_owned(), json!(at));
            }
            if let Some(at) = self.completed_at.filter(|_| !self.lost) {
                fields.insert("completedAt".to_owned(), json!(at));
            }
            if self.lost {
                let error = json!({
                    "id": "RunDataError", "title": "Run Data Error",
                    "detail": "There was no engine state data for this run.", "errorCode": "4000",
                });
                fields.insert("dataError".to_owned(), error);
            }
        }
        view
    }
}

impl Command {
    /// Without `result`: lists leave it out, as the vendor's do.
    pub fn summary(&self) -> Value {
        let mut view = json!(self);
        if let Some(fields) = view.as_object_mut() {
            fields.remove("result");
            fields.retain(|_, value| !value.is_null());
        }
        view
    }

    pub fn full(&self) -> Value {
        let mut view = json!(self);
        if let Some(fields) = view.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_of_actions() {
        use Status::{
            AwaitingRecovery, Failed, Finishing, Idle, Paused, Running, StopRequested, Stopped, Succeeded,
        };
        let mut table = String::new();
        for status in
            [Idle, Running, Paused, AwaitingRecovery, StopRequested, Stopped, Finishing, Succeeded, Failed]
        {
            for action in [Action::Play, Action::Pause, Action::Stop, Action::ResumeFromRecovery] {
                let outcome = match next(status, action) {
                    Ok(step) => format!("{step:?}"),
                    Err(_) => "409".to_owned(),
                };
                table.push_str(&format!("{status:?} {action:?}: {outcome}\n"));
            }
        }
        insta::assert_snapshot!(table);
    }
}
