//! Every request says which version of the API it means: `Opentrons-Version: 4`, or `*`.

use super::answer::Problem;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const LATEST: u32 = 4;
const OLDEST: u32 = 2;

/// 422 without the header or with one that is no version, 400 with one that is too old.
pub async fn check(request: Request, next: Next) -> Response {
    let asked = request.headers().get("opentrons-version").and_then(|value| value.to_str().ok());
    let version = match asked {
        Some("*") => LATEST,
        Some(text) => match text.trim().parse::<u32>() {
            Ok(version) if version >= OLDEST => version.min(LATEST),
            Ok(version) => return too_old(version).into_response(),
            Err(_) => return invalid("value is not a valid integer").into_response(),
        },
        None => return invalid("field required").into_response(),
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("opentrons-version", HeaderValue::from(version));
    headers.insert("opentrons-min-version", HeaderValue::from(OLDEST));
    response
}

fn invalid(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "InvalidRequest", "Invalid Request", detail)
        .with_source("header", "Opentrons-Version")
}

fn too_old(version: u32) -> Problem {
    let detail = format!(
        "HTTP header Opentrons-Version: {version} is too old: this server speaks {OLDEST} to {LATEST}"
    );
    Problem::new(
        StatusCode::BAD_REQUEST,
        "OutOfDateAPIVersion",
        "Requested HTTP API version no longer supported",
        detail,
    )
}
