//! Envelopes: `{"data":..}` and `{"errors":[{"id","title","detail","errorCode"}]}`.

use axum::Json;
use axum::extract::multipart::MultipartError;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The code of an error that has no better one.
pub const GENERAL_ERROR: &str = "4000";

#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    id: &'static str,
    title: &'static str,
    detail: String,
    source: Option<Value>,
}

impl Problem {
    pub fn new(status: StatusCode, id: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, id, title, detail: detail.into(), source: None }
    }

    pub fn with_source(self, kind: &str, name: &str) -> Self {
        Self { source: Some(json!({ kind: name })), ..self }
    }

    pub fn run_not_found(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "RunNotFound", "Run Not Found", format!("Run {id} was not found."))
    }

    pub fn protocol_not_found(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ProtocolNotFound",
            "Protocol Not Found",
            format!("Protocol {id} was not found."),
        )
    }

    pub fn run_stopped(id: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "RunStopped",
            "Run Stopped",
            format!("Run {id} is not the current run"),
        )
    }

    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "InvalidRequest", "Invalid Request", detail)
    }

    pub fn unexpected(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "UnexpectedServerError",
            "Unexpected Internal Error",
            detail,
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut error = json!({
            "id": self.id, "title": self.title, "detail": self.detail, "errorCode": GENERAL_ERROR,
        });
        if let (Some(source), Some(fields)) = (self.source, error.as_object_mut()) {
            fields.insert("source".to_owned(), source);
        }
        (self.status, Json(json!({ "errors": [error] }))).into_response()
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

impl From<MultipartError> for Problem {
    fn from(error: MultipartError) -> Self {
        Self::invalid(error.body_text())
    }
}

impl From<super::storage::Error> for Problem {
    fn from(error: super::storage::Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the robot's storage");
        Self::unexpected(error.to_string())
    }
}

/// The `data` of a request body.
pub struct Data<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Data<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        #[derive(serde::Deserialize)]
        struct Envelope<T> {
            data: T,
        }
        let Json(Envelope { data }) = Json::<Envelope<T>>::from_request(request, state).await?;
        Ok(Self(data))
    }
}

/// `{"data": data}`.
pub fn data(data: Value) -> Json<Value> {
    Json(json!({ "data": data }))
}

pub async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "NotFound", "Not Found", "Not Found")
}
