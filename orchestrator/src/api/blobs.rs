//! Content-addressed files, streamed both ways. A blob never changes, so it may be kept forever.

use super::access::{Access, Caller, Routes};
use super::extract::Path;
use super::problem::Problem;
use super::state::AppState;
use crate::steps::{self, Step};
use crate::store::blobs::{Put, describe};
use crate::store::tokens::Scope;
use ::jobs::Digest;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::routes;

pub(super) const WRITERS: &[Scope] =
    &[Scope::WorkBench, Scope::WorkLearn, Scope::WorkPeople, Scope::CampaignWrite, Scope::InventoryWrite];
const READERS: &[Scope] =
    &[Scope::Read, Scope::WorkBench, Scope::WorkLearn, Scope::WorkPeople, Scope::CampaignWrite];

pub(super) fn routes() -> Routes {
    Routes::new().slow_route(Access::AnyOf(WRITERS), routes!(put)).route(Access::AnyOf(READERS), routes!(get))
}

/// Stores bytes under their own SHA-256.
#[utoipa::path(
    put,
    path = "/blobs/{sha256}",
    tag = "blobs",
    params(("sha256" = String, Path, description = "64 hex digits")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "stored"),
        (status = 200, description = "it was there already"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "larger than the limit"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "the content is not what its name says"),
    )
)]
async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let expected = digest(&name)?;
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/octet-stream")
        .to_owned();
    let body = request.into_body().into_data_stream();
    steps::before(Step::PutBlob).await;
    let put = state.blobs.put(&state.pool, expected, &media_type, caller.id(), body).await?;
    steps::after(Step::PutBlob).await;
    match put {
        Put::Stored => Ok(StatusCode::CREATED),
        Put::AlreadyThere => Ok(StatusCode::OK),
        Put::Mismatch { actual } => {
            let detail =
                format!("The bytes hash to {actual}, not to {expected}. Nothing was kept; send them again.");
            Err(Problem::unprocessable("blob.content_mismatch", detail))
        }
        Put::TooLarge { limit_bytes } => {
            let detail = format!("A blob has at most {limit_bytes} bytes here. Nothing was kept.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "blob.too_large", detail))
        }
        Put::Interrupted { detail } => {
            let detail = format!("The upload broke off ({detail}). Nothing was kept; send it again.");
            Err(Problem::new(StatusCode::BAD_REQUEST, "blob.interrupted", detail))
        }
    }
}

/// The bytes. `HEAD` says whether they are there.
#[utoipa::path(
    get,
    path = "/blobs/{sha256}",
    tag = "blobs",
    params(("sha256" = String, Path, description = "64 hex digits")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get(State(state): State<AppState>, Path(name): Path<String>) -> Result<Response, Problem> {
    let digest = digest(&name)?;
    let described = describe(&mut *state.pool.acquire().await?, digest).await?;
    let described = described.ok_or_else(|| Problem::not_found("blob", digest))?;
    let bytes = state.blobs.stream(digest).await?.ok_or_else(|| Problem::not_found("blob", digest))?;
    let headers = [
        (header::CONTENT_TYPE, described.media_type),
        (header::CONTENT_LENGTH, described.size_bytes.to_string()),
        (header::ETAG, format!("\"{digest}\"")),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
        // It may hold anything: no browser is to guess, or to run it.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

fn digest(name: &str) -> Result<Digest, Problem> {
    name.parse().map_err(|error: ::jobs::blob::NotADigest| {
        Problem::unprocessable("blob.name_invalid", error.to_string())
    })
}
