//! What devices answer when they refuse: `{"error":{"code","detail"}}`.

use crate::world;
use crate::world::event::OperationError;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub error: OperationError,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, error: operation_error(code, detail) }
    }

    pub fn not_found(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub fn invalid(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }
}

pub fn operation_error(code: &str, detail: impl Into<String>) -> OperationError {
    OperationError { code: code.to_owned(), detail: detail.into() }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, axum::Json(json!({ "error": self.error }))).into_response()
    }
}

impl From<world::Error> for Refusal {
    fn from(error: world::Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the world cannot go on");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "world_stopped", error.to_string())
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        Self::invalid("bad_request", rejection.body_text())
    }
}

/// A JSON body, refused in the devices' own form.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let axum::Json(body) = axum::Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}
