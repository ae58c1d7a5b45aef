//! Errors as RFC 9457 problems: a stable code, and a sentence that says what to do.

use crate::campaigns::Problem as FileProblem;
use crate::store;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answered as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URN made of the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    pub status: u16,
    /// Stable; documented; what programs look at.
    pub code: String,
    /// What happened and what to do next, for people.
    pub detail: String,
    /// Each thing that is wrong with a file, and where; for editors.
    #[serde(default, skip_serializing_if = "<[FileProblem]>::is_empty")]
    #[schema(value_type = Vec<FileProblem>)]
    pub errors: Box<[FileProblem]>,
    #[serde(skip)]
    hint: Hint,
}

/// A header that goes with the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hint {
    #[default]
    None,
    Authenticate,
    RetryAfter(u64),
}

impl Problem {
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:loopwright:problem:{code}"),
            title: status.canonical_reason().unwrap_or("error").to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            errors: Box::default(),
            hint: Hint::None,
        }
    }

    /// The same, with each thing that is wrong in its place.
    pub fn with_errors(self, errors: Vec<FileProblem>) -> Self {
        Self { errors: errors.into(), ..self }
    }

    /// 401: no token, or one that is nobody's.
    pub fn unauthenticated(code: &str, detail: impl Into<String>) -> Self {
        Self { hint: Hint::Authenticate, ..Self::new(StatusCode::UNAUTHORIZED, code, detail) }
    }

    /// 403: the token lacks the scope, or the actor may not.
    pub fn forbidden(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, &format!("{what}.not_found"), format!("There is no {what} {id}."))
    }

    /// 409: it does not fit the state of things.
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: understood, and cannot be.
    pub fn unprocessable(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 503: the same again may pass.
    pub fn try_again(code: &str, detail: impl Into<String>) -> Self {
        Self { hint: Hint::RetryAfter(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail) }
    }

    /// The same again may pass after `seconds`.
    pub fn retry_after(status: StatusCode, code: &str, detail: impl Into<String>, seconds: u64) -> Self {
        Self { hint: Hint::RetryAfter(seconds), ..Self::new(status, code, detail) }
    }

    /// 500: a defect of ours. `error` goes to the log, not to the client.
    pub fn bug(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %with_sources(error), "a request met a defect");
        let detail = "The server met a defect of its own and logged it under this request's id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server.bug", detail)
    }

    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status_code(), axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.hint {
            Hint::None => None,
            Hint::Authenticate => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Hint::RetryAfter(seconds) => headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds)),
        };
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        use store::error::ConstraintKind as K;
        match &error {
            E::Unavailable(_) | E::Contended(_) | E::BlobStore { .. } => {
                tracing::warn!(error = %with_sources(&error), "a request has to be tried again");
                Problem::try_again(error.code(), format!("Not now: {error}. Try again in a moment."))
            }
            E::NotFound { what, id } => Problem::not_found(what, id),
            E::Refused(why) => Problem::unprocessable(error.code(), format!("{why}.")),
            E::Constraint { constraint, kind: K::Unique, .. } => {
                Problem::conflict(error.code(), format!("It is there already (rule {constraint})."))
            }
            E::Constraint { constraint, .. } => {
                Problem::unprocessable(error.code(), format!("The rule {constraint} does not allow it."))
            }
            _ => Problem::bug(&error),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        store::Error::from(error).into()
    }
}

/// An error and what caused it, on one line.
fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
