//! The gate on the robot's own analysis. The server would run a protocol that it calls not ok.

use super::super::device::DeviceError;
use super::super::timings::Watch;
use super::api::Api;
use super::labware;
use super::model::Analysis;
use crate::protocols::CHERRYPICK;
use crate::transfers::TransferList;
use jobs::{Failure, FailureClass};
use serde_json::{Value, json};

const DRIVER: &str = "opentrons";

/// A protocol and parameters that the robot itself calls runnable.
#[derive(Debug)]
pub(super) struct Analysed {
    pub protocol_id: String,
    /// As `POST /runs` takes them.
    pub parameter_files: Value,
}

/// Name and text of each file that makes up the protocol for `list`: the vetted one, and definitions of
/// labware that the robot does not know.
pub fn protocol_files(list: &TransferList) -> Vec<(String, String)> {
    let protocol = (CHERRYPICK.file_name.to_owned(), CHERRYPICK.source.to_owned());
    std::iter::once(protocol).chain(labware::definitions(list)).collect()
}

/// Uploads picklist and protocol, and waits for an analysis of exactly these to be ok.
pub(super) async fn analyse(api: &Api, list: &TransferList, picklist: &str) -> Result<Analysed, Failure> {
    let before_begin = |error: DeviceError| error.before_begin(DRIVER);
    let name = format!("{}.csv", list.job_id);
    let file_id = api.upload_data_file(&name, picklist.to_owned()).await.map_err(before_begin)?;
    let parameter_files = json!({ CHERRYPICK.csv_parameter: file_id });

    let files = protocol_files(list);
    let protocol_id = api.upload_protocol(&files, &parameter_files).await.map_err(before_begin)?;

    let mut watch = Watch::new(api.timings());
    loop {
        let analyses = api.analyses(&protocol_id).await.map_err(before_begin)?;
        match analyses.last() {
            Some(last) if last.status == "completed" => {
                check(last, &file_id)?;
                return Ok(Analysed { protocol_id, parameter_files });
            }
            _ if watch.has_run(api.timings().analysis) => {
                let message = "Nothing was begun: the robot does not finish its analysis of the protocol. Look at the robot.";
                return Err(Failure::new(FailureClass::Transient, "opentrons.no_analysis", message));
            }
            _ => watch.pause().await,
        }
    }
}

/// Parameters are checked here and not by trying: one wrong parameter makes this and the next `POST /runs`
/// from anyone end in 500.
fn check(analysis: &Analysis, file_id: &str) -> Result<(), Failure> {
    let refuse = |class, what: &str, message: String| {
        let message = format!("Nothing was begun: {message}");
        Err(Failure::new(class, format!("opentrons.{what}"), message))
    };
    if let Some(error) = analysis.errors.first() {
        let said = error.innermost();
        return refuse(
            FailureClass::Permanent,
            "analysis_not_ok",
            format!("the robot's analysis refuses the run: {said}"),
        );
    }
    let parameter = analysis.run_time_parameters.iter().find(|parameter| {
        parameter.variable_name == CHERRYPICK.csv_parameter && parameter.kind == "csv_file"
    });
    let Some(parameter) = parameter else {
        return refuse(
            FailureClass::Bug,
            "parameters",
            format!(
                "the robot's analysis knows no CSV parameter {:?}; it may be of another protocol.",
                CHERRYPICK.csv_parameter
            ),
        );
    };
    let other = parameter
        .file
        .as_ref()
        .and_then(|file| file.id.as_deref())
        .filter(|id| !id.is_empty() && *id != file_id);
    if let Some(other) = other {
        return refuse(
            FailureClass::Transient,
            "analysis_of_another",
            format!(
                "the robot's last analysis is of picklist {other}, not of ours: somebody else uses the protocol."
            ),
        );
    }
    match analysis.result.as_deref() {
        Some("ok") => Ok(()),
        result => refuse(
            FailureClass::Permanent,
            "analysis_not_ok",
            format!("the robot's analysis says {}.", result.unwrap_or("nothing")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analysis(value: Value) -> Analysis {
        serde_json::from_value(value).unwrap()
    }

    fn picklist(id: &str) -> Value {
        json!([{"variableName": "picklist", "type": "csv_file", "file": {"id": id, "name": "x.csv"}}])
    }

    #[test]
    fn only_an_ok_analysis_of_our_own_picklist_passes() {
        let of = |result: &str, parameters: Value| {
            check(
                &analysis(json!({"status": "completed", "result": result, "runTimeParameters": parameters})),
                "f1",
            )
        };
        assert!(of("ok", picklist("f1")).is_ok());
        assert_eq!(of("not-ok", picklist("f1")).unwrap_err().code, "opentrons.analysis_not_ok");
        assert_eq!(
            of("parameter-value-required", picklist("")).unwrap_err().code,
            "opentrons.analysis_not_ok"
        );
        assert_eq!(of("ok", picklist("f2")).unwrap_err().code, "opentrons.analysis_of_another");
        assert_eq!(of("ok", json!([])).unwrap_err().code, "opentrons.parameters");
    }

    #[test]
    fn an_analysis_that_found_errors_says_the_innermost() {
        let failure = check(
            &analysis(json!({"status": "completed", "result": "not-ok", "errors": [
                {"detail": "outer", "wrappedErrors": [{"errorCode": "4000", "errorType": "ValueError", "detail": "line 2: 0.5 uL"}]}
            ]})),
            "f1",
        )
        .unwrap_err();
        assert!(failure.message.contains("line 2: 0.5 uL"), "{failure}");
    }
}
