//! What the robot finds when it goes through a protocol without moving.

use super::data_files::DataFile;
use super::failure::{self, ErrorOccurrence};
use super::parameters::Given;
use super::picklist::Picklist;
use super::protocols::Protocol;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// How long an analysis stays `pending`.
const DURATION: TimeDelta = TimeDelta::milliseconds(20);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Analysis {
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub given: Given,
    verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum Verdict {
    Ok,
    NotOk { error: Box<ErrorOccurrence> },
    ParameterValueRequired,
}

impl Analysis {
    pub fn of(protocol: &Protocol, given: Given, files: &[DataFile], now: DateTime<Utc>) -> Self {
        let verdict = match picklist(protocol, &given, files) {
            Ok(Some(_)) => Verdict::Ok,
            Ok(None) => Verdict::ParameterValueRequired,
            Err(why) => Verdict::NotOk { error: Box::new(failure::of_protocol(&why, now)) },
        };
        Self { id: Uuid::now_v7().to_string(), created_at: now, given, verdict }
    }

    pub fn is_completed(&self, now: DateTime<Utc>) -> bool {
        now - self.created_at >= DURATION
    }

    pub fn summary(&self, now: DateTime<Utc>) -> Value {
        json!({ "id": self.id, "status": if self.is_completed(now) { "completed" } else { "pending" } })
    }

    pub fn view(&self, protocol: &Protocol, files: &[DataFile], now: DateTime<Utc>) -> Value {
        if !self.is_completed(now) {
            return self.summary(now);
        }
        let parameters: Vec<Value> = protocol
            .declared
            .iter()
            .map(|one| {
                let id = self.given.files.get(&one.variable_name);
                let file = id.and_then(|id| files.iter().find(|file| file.id == *id));
                one.view(file.map(|file| (file.id.as_str(), file.name.as_str())))
            })
            .collect();
        let (result, errors) = match &self.verdict {
            Verdict::Ok => ("ok", json!([])),
            Verdict::NotOk { error } => ("not-ok", json!([error])),
            Verdict::ParameterValueRequired => ("parameter-value-required", json!([])),
        };
        json!({
            "id": self.id,
            "status": "completed",
            "result": result,
            "robotType": "OT-2 Standard",
            "runTimeParameters": parameters,
            "errors": errors,
            // The commands of a run are not known before it: nothing is simulated here.
            "commands": [], "labware": [], "pipettes": [], "modules": [], "liquids": [],
        })
    }
}

/// The picklist that `given` names: `None` when none was given; else it can be carried out as far as
/// can be known without moving.
pub fn picklist(protocol: &Protocol, given: &Given, files: &[DataFile]) -> Result<Option<Picklist>, String> {
    if let Some(unknown) = given.unknown(&protocol.declared) {
        return Err(format!("parameter {unknown} is not defined, or is of another type"));
    }
    let Some(parameter) = protocol.declared.iter().find(|one| one.is_csv()) else {
        return Err("this robot simulates protocols with a CSV run-time parameter only".to_owned());
    };
    let Some(id) = given.files.get(&parameter.variable_name) else { return Ok(None) };
    let file =
        files.iter().find(|file| file.id == *id).ok_or_else(|| format!("there is no data file {id}"))?;
    let picklist = Picklist::parse(&file.content)?;
    match picklist.undefined_labware(&protocol.labware_definitions()) {
        Some(name) => Err(format!("Unable to find a labware definition for \"{name}\"")),
        None => Ok(Some(picklist)),
    }
}
