//! What can come of a call, told apart by what the worker must do about it.

use crate::blob::Digest;
use crate::failure::FailureClass;
use reqwest::StatusCode;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 409: stop at the next safe point, begin nothing.
    #[error("authority over the job is lost: {detail}")]
    AuthorityLost { detail: String },
    /// 409 `lease.reconciling`: a new life of the database, in which robots first tell what they did.
    #[error("no work yet: {detail}")]
    Reconciling { detail: String },
    /// No answer, or one that says "not now" (5xx, 408, 429). Says nothing about authority.
    #[error("could not {doing}: {why}; it will be tried again")]
    Unreachable { doing: &'static str, why: String },
    /// An answer that is not of the contract, e.g. the page of a proxy in between.
    #[error("could not {doing}: the answer is not of this contract ({why}); check the server's URL")]
    Unintelligible { doing: &'static str, why: String },
    /// 4xx with the server's stable code (RFC 9457 problem).
    #[error("the server refused to {doing}: {status} {code}: {detail}")]
    Refused { doing: &'static str, status: u16, code: String, detail: String },
    /// 426.
    #[error("this worker is too old for the server: {detail}")]
    ContractTooOld { detail: String },
    #[error("the bytes received are not those named {digest}")]
    Corrupt { digest: Digest },
    #[error("the client cannot be set up: {0}")]
    Setup(String),
}

/// The code of a lease that is refused while robots still tell what they did.
pub const RECONCILING: &str = "lease.reconciling";

/// The part of an RFC 9457 problem that is read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    title: String,
    detail: String,
}

impl Error {
    /// What the error means for the call: `Transient` ones are worth repeating as they are.
    pub fn class(&self) -> FailureClass {
        match self {
            Error::Unreachable { .. }
            | Error::Unintelligible { .. }
            | Error::Corrupt { .. }
            | Error::Reconciling { .. } => FailureClass::Transient,
            // A token can be renewed, and a role granted, while the worker waits.
            Error::Refused { status: 401 | 403, .. } | Error::ContractTooOld { .. } | Error::Setup(_) => {
                FailureClass::NeedsPerson
            }
            Error::AuthorityLost { .. } | Error::Refused { .. } => FailureClass::Permanent,
        }
    }

    pub(super) fn transport(doing: &'static str, source: &reqwest::Error) -> Self {
        Error::Unreachable { doing, why: with_sources(source) }
    }

    pub(super) fn from_answer(doing: &'static str, status: StatusCode, body: &[u8]) -> Self {
        let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
        let detail = if problem.detail.is_empty() { problem.title } else { problem.detail };
        match status.as_u16() {
            409 if problem.code == RECONCILING => Error::Reconciling { detail },
            409 => Error::AuthorityLost { detail },
            426 => Error::ContractTooOld { detail },
            408 | 429 | 500.. => {
                Error::Unreachable { doing, why: format!("the server answered {status} {detail}") }
            }
            400..=499 => Error::Refused { doing, status: status.as_u16(), code: problem.code, detail },
            _ => Error::Unintelligible { doing, why: format!("status {status}") },
        }
    }
}

/// The error and what lies under it, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut under = error.source();
    while let Some(source) = under {
        text = format!("{text}: {source}");
        under = source.source();
    }
    text
}
