//! Errors as a robot shows them: nested, the useful code innermost.

use super::answer::GENERAL_ERROR;
use crate::world::transfer;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorOccurrence {
    pub id: String,
    pub created_at: DateTime<Utc>,
    /// The vendor documents this type of error, and recovery rules can name it.
    pub is_defined: bool,
    pub error_type: String,
    pub error_code: String,
    pub detail: String,
    pub error_info: Value,
    pub wrapped_errors: Vec<ErrorOccurrence>,
}

impl ErrorOccurrence {
    pub fn new(error_type: &str, code: &str, detail: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7().to_string(),
            created_at: at,
            is_defined: false,
            error_type: error_type.to_owned(),
            error_code: code.to_owned(),
            detail: detail.into(),
            error_info: json!({}),
            wrapped_errors: Vec::new(),
        }
    }

    pub fn defined(self) -> Self {
        Self { is_defined: true, ..self }
    }

    fn around(self, inner: ErrorOccurrence) -> Self {
        Self { wrapped_errors: vec![inner], ..self }
    }
}

/// What a failed command says of itself.
pub fn of_transfer(error: &transfer::Error, at: DateTime<Utc>) -> ErrorOccurrence {
    let detail = error.to_string();
    match error {
        transfer::Error::LiquidNotFound { .. } => {
            ErrorOccurrence::new("liquidNotFound", "2017", detail, at).defined()
        }
        transfer::Error::Collision { .. } => {
            ErrorOccurrence::new("StallOrCollisionDetectedError", "2003", detail, at)
        }
        transfer::Error::World(_) => {
            ErrorOccurrence::new("UnexpectedProtocolError", GENERAL_ERROR, detail, at)
        }
    }
}

/// What the run says when a command failed it.
pub fn of_run(command: ErrorOccurrence) -> ErrorOccurrence {
    let at = command.created_at;
    let detail = format!(
        "Error {} {} ({}): {}",
        command.error_code, command.error_type, command.error_type, command.detail
    );
    let failed =
        ErrorOccurrence::new("ProtocolCommandFailedError", GENERAL_ERROR, detail.clone(), at).around(command);
    ErrorOccurrence::new(
        "ExceptionInProtocolError",
        GENERAL_ERROR,
        format!("ProtocolCommandFailedError: {detail}"),
        at,
    )
    .around(failed)
}

/// What the run or the analysis says when the protocol itself raised an error.
pub fn of_protocol(why: &str, at: DateTime<Utc>) -> ErrorOccurrence {
    let inner = ErrorOccurrence::new("PythonException", GENERAL_ERROR, format!("ValueError: {why}"), at);
    ErrorOccurrence::new("ExceptionInProtocolError", GENERAL_ERROR, format!("ValueError: {why}"), at)
        .around(inner)
}
