//! The robot's HTTP API, one method per call that we make.

use super::super::device::{Device, DeviceError};
use super::super::{SetupError, Timings};
use super::model::{Analysis, Body, Command, Door, Health, Named, Run};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// Version of the HTTP API that we speak; missing is 422, too old 400.
const VERSION: (&str, &str) = ("Opentrons-Version", "4");
/// Our entry in the robot's board of messages between clients.
const CLIENT_DATA_KEY: &str = "loopwright";

/// The calls. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub(super) struct Api {
    device: Device,
}

/// What came of asking for a run's action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ActionAnswer {
    Taken,
    /// 409: the run is over, or another has taken its place. Look at it to know which.
    NotAllowed,
}

impl Api {
    pub fn connect(url: &str, timings: Timings) -> Result<Self, SetupError> {
        Ok(Self { device: Device::connect(url, timings)?.with_header(VERSION.0, VERSION.1) })
    }

    pub fn timings(&self) -> Timings {
        self.device.timings()
    }

    pub async fn health(&self) -> Result<Health, DeviceError> {
        self.device.get("ask for its health", "/health").await
    }

    /// Stores a CSV file; the id is the same for the same content.
    pub async fn upload_data_file(&self, name: &str, text: String) -> Result<String, DeviceError> {
        let form = Form::new().part("file", Part::text(text).file_name(name.to_owned()));
        let body: Body<Named> = self.device.send_form("upload the picklist", "/dataFiles", form).await?;
        Ok(body.data.id)
    }

    /// Stores protocol and labware files, and queues an analysis with these parameter files when the last
    /// one had others. The id is the same for the same files.
    pub async fn upload_protocol(
        &self,
        files: &[(String, String)],
        parameter_files: &Value,
    ) -> Result<String, DeviceError> {
        let form = files.iter().fold(Form::new(), |form, (name, text)| {
            form.part("files", Part::text(text.clone()).file_name(name.clone()))
        });
        let form = form.text("runTimeParameterFiles", parameter_files.to_string());
        let body: Body<Named> = self.device.send_form("upload the protocol", "/protocols", form).await?;
        Ok(body.data.id)
    }

    /// Oldest first; the last is the one that counts.
    pub async fn analyses(&self, protocol: &str) -> Result<Vec<Analysis>, DeviceError> {
        let path = format!("/protocols/{protocol}/analyses");
        let body: Body<Vec<Analysis>> = self.device.get("look at the analyses", &path).await?;
        Ok(body.data)
    }

    /// The run that is current, if any: running, waiting, or over and not yet replaced.
    pub async fn current_run(&self) -> Result<Option<Run>, DeviceError> {
        let body: Body<Vec<Value>> = self.device.get("look at the runs", "/runs").await?;
        let linked = body.links.as_ref().and_then(|links| links.get("current")?.get("href")?.as_str());
        let listed = || {
            let run = body.data.iter().find(|run| run.get("current") == Some(&Value::Bool(true)))?;
            run.get("id")?.as_str()
        };
        match linked.and_then(|href| href.rsplit('/').next()).or_else(listed) {
            Some(id) => self.run(id).await.map(|(run, _)| Some(run)),
            None => Ok(None),
        }
    }

    /// Somebody's maintenance run, if there is one: a calibration, a pipette being attached. Playing a run would end it.
    pub async fn maintenance_run(&self) -> Result<Option<String>, DeviceError> {
        let path = "/maintenance_runs/current_run";
        let run: Option<Body<Named>> = if_there(self.device.get("look for a maintenance run", path).await)?;
        Ok(run.map(|body| body.data.id))
    }

    /// Whether its door is open and has to be closed for a run. A robot that does not know such doors has none in the way.
    pub async fn is_door_in_the_way(&self) -> Result<bool, DeviceError> {
        let door: Option<Body<Door>> =
            if_there(self.device.get("look at the door", "/robot/door/status").await)?;
        Ok(door.is_some_and(|body| body.data.status == "open" && body.data.door_required_closed_for_protocol))
    }

    pub async fn create_run(&self, protocol: &str, parameter_files: &Value) -> Result<Run, DeviceError> {
        let body = json!({"data": {
            "protocolId": protocol,
            "runTimeParameterValues": {},
            "runTimeParameterFiles": parameter_files,
        }});
        let run: Body<Run> = self.device.send_json("create a run", Method::POST, "/runs", &body).await?;
        Ok(run.data)
    }

    /// The run as we read it, and as it came.
    pub async fn run(&self, id: &str) -> Result<(Run, Value), DeviceError> {
        let doing = "look at the run";
        let body: Body<Value> = self.device.get(doing, &format!("/runs/{id}")).await?;
        let run = read(doing, &body.data)?;
        Ok((run, body.data))
    }

    pub async fn act(&self, run: &str, action: &'static str) -> Result<ActionAnswer, DeviceError> {
        let body = json!({"data": {"actionType": action}});
        let path = format!("/runs/{run}/actions");
        match self.device.send_json::<Value>("act on the run", Method::POST, &path, &body).await {
            Ok(_) => Ok(ActionAnswer::Taken),
            Err(error) if error.status() == Some(409) => Ok(ActionAnswer::NotAllowed),
            Err(error) => Err(error),
        }
    }

    /// One page of commands from `cursor` on, as they came, and how many there are in all. Without a cursor
    /// the server would choose a window of its own and history would be missed.
    pub async fn commands(
        &self,
        run: &str,
        cursor: u64,
        page: u64,
    ) -> Result<(Vec<Value>, u64), DeviceError> {
        let path = format!("/runs/{run}/commands?cursor={cursor}&pageLength={page}");
        let Body { mut data, meta, .. } =
            self.device.get::<Body<Vec<Value>>>("look at the commands", &path).await?;
        let (begins_at, total) = match meta {
            Some(meta) => (meta.cursor, meta.total_length),
            None => (cursor, cursor.saturating_add(data.len() as u64)),
        };
        let seen_before = usize::try_from(cursor.saturating_sub(begins_at)).unwrap_or(usize::MAX);
        data.drain(..seen_before.min(data.len()));
        Ok((data, total))
    }

    /// One command with its result.
    pub async fn command(&self, run: &str, command: &str) -> Result<Value, DeviceError> {
        let path = format!("/runs/{run}/commands/{command}");
        let body: Body<Value> = self.device.get("look at a command", &path).await?;
        Ok(body.data)
    }

    pub async fn command_errors(&self, run: &str) -> Result<Value, DeviceError> {
        let path = format!("/runs/{run}/commandErrors?cursor=0&pageLength=1000");
        let body: Body<Value> = self.device.get("look at the errors", &path).await?;
        Ok(body.data)
    }

    pub async fn put_error_recovery_policy(&self, run: &str, policy: &Value) -> Result<(), DeviceError> {
        let path = format!("/runs/{run}/errorRecoveryPolicy");
        let body = json!({"data": policy});
        self.device
            .send_json::<Value>("set the error recovery policy", Method::PUT, &path, &body)
            .await
            .map(drop)
    }

    /// Tells other clients who is at work. Advice, not a lock.
    pub async fn put_client_data(&self, data: &Value) -> Result<(), DeviceError> {
        let path = format!("/clientData/{CLIENT_DATA_KEY}");
        let body = json!({"data": data});
        self.device.send_json::<Value>("publish who is at work", Method::PUT, &path, &body).await.map(drop)
    }

    /// What we have told them last, if the robot has not been restarted since.
    pub async fn client_data(&self) -> Result<Option<Value>, DeviceError> {
        let path = format!("/clientData/{CLIENT_DATA_KEY}");
        let body: Option<Body<Value>> = if_there(self.device.get("look who is at work", &path).await)?;
        Ok(body.map(|body| body.data))
    }
}

/// 404: it is not there, or this version of the robot does not know such things.
fn if_there<T>(answer: Result<T, DeviceError>) -> Result<Option<T>, DeviceError> {
    match answer {
        Err(error) if error.status() == Some(404) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Reads a value that is kept raw as well.
fn read<T: serde::de::DeserializeOwned>(doing: &'static str, raw: &Value) -> Result<T, DeviceError> {
    T::deserialize(raw).map_err(|error| DeviceError::Garbled { doing, detail: error.to_string() })
}

/// A command as we read it; `None` when it is nothing that we know.
pub(super) fn command_in(raw: &Value) -> Option<Command> {
    read("read a command", raw).ok()
}
