//! Large blobs in parts, so that a broken connection costs one part at the most.

use super::access::{Access, Caller, Routes};
use super::blobs::WRITERS;
use super::extract::{Json, Path};
use super::problem::Problem;
use super::state::AppState;
use crate::ids::UploadId;
use crate::store::uploads::{self, Begun, LARGEST_PART_BYTES, MOST_OPEN, Received, Upload};
use ::jobs::wire::{NewUpload, UPLOAD_OFFSET_HEADER, UploadState};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let write = Access::AnyOf(WRITERS);
    Routes::new().route(write, routes!(begin)).slow_route(write, routes!(go_on))
}

/// Begins to upload a blob in parts, or says how far it came.
///
/// Send what is missing with `PATCH /uploads/{id}`. Asked again after a break, by the same actor, of any replica, it
/// answers with the same upload. What is left alone for a day is cleared away.
#[utoipa::path(post, path = "/uploads", tag = "blobs", request_body = NewUpload,
    responses((status = 201, body = UploadState, description = "go on after `received_bytes`"),
        (status = 200, body = UploadState, description = "the blob is there already"),
        (status = 413, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn begin(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewUpload>,
) -> Result<Response, Problem> {
    if new.size_bytes == 0 {
        let detail = "An empty blob is sent whole: PUT /blobs/{sha256}.";
        return Err(Problem::unprocessable("upload.empty", detail));
    }
    let media_type = new.media_type.as_deref().unwrap_or("application/octet-stream");
    let begun =
        uploads::begin(&state.pool, &state.blobs, new.sha256, new.size_bytes, media_type, caller.id())
            .await?;
    match begun {
        Begun::Open(upload) => Ok((StatusCode::CREATED, Json(open(&upload))).into_response()),
        Begun::AlreadyThere => Ok(Json(stored(new.size_bytes)).into_response()),
        Begun::TooLarge { limit_bytes } => {
            let detail = format!("A blob has at most {limit_bytes} bytes here.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "blob.too_large", detail))
        }
        Begun::TooMany => {
            let detail = format!(
                "You have {MOST_OPEN} uploads open already. Finish one, or wait until those left alone are cleared \
                 away (a day)."
            );
            Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "upload.too_many", detail))
        }
    }
}

/// Sends the next part of a blob.
///
/// `Upload-Offset` is where it begins: `received_bytes` of the answer before. A part that breaks off is not kept. With
/// the last one the whole is checked against its hash; an empty part at the end asks for that again.
#[utoipa::path(patch, path = "/uploads/{id}", tag = "blobs",
    params(("id" = String, Path, description = "`id` of the upload"), ("upload-offset" = u64, Header)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = UploadState), (status = 404, body = Problem),
        (status = 412, body = Problem, description = "`upload.offset_differs`: ask with POST /uploads how far it came"),
        (status = 413, body = Problem, description = "larger than a part may be, or than what was promised"),
        (status = 422, body = Problem, description = "the whole is not what its name says; it is gone")))]
async fn go_on(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UploadId>,
    request: Request,
) -> Result<Json<UploadState>, Problem> {
    let offset = offset(request.headers())?;
    let part = axum::body::to_bytes(request.into_body(), LARGEST_PART_BYTES as usize).await;
    let part = part.map_err(|error| {
        let detail = format!(
            "The part broke off, or has more than {LARGEST_PART_BYTES} bytes ({error}). It was not kept; send it again."
        );
        Problem::new(StatusCode::BAD_REQUEST, "upload.interrupted", detail)
    })?;
    match uploads::receive(&state.pool, &state.blobs, id, caller.id(), offset, part).await? {
        Received::Part(upload) => Ok(Json(open(&upload))),
        Received::Whole => Ok(Json(stored(offset))),
        Received::NotFound => Err(Problem::not_found("upload", id)),
        Received::OffsetDiffers { received_bytes } => {
            let detail =
                format!("The upload stands at {received_bytes} bytes, not at {offset}. Go on from there.");
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, "upload.offset_differs", detail))
        }
        Received::TooLong { size_bytes } => {
            let detail = format!("It was promised to have {size_bytes} bytes, and this part goes beyond.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "upload.too_long", detail))
        }
        Received::Mismatch { actual } => {
            let detail = format!("The bytes hash to {actual}. Nothing was kept; begin anew.");
            Err(Problem::unprocessable("blob.content_mismatch", detail))
        }
    }
}

fn open(upload: &Upload) -> UploadState {
    UploadState {
        id: Some(upload.id.0),
        received_bytes: upload.received_bytes,
        largest_part_bytes: LARGEST_PART_BYTES,
        stored: false,
    }
}

fn stored(received_bytes: u64) -> UploadState {
    UploadState { id: None, received_bytes, largest_part_bytes: LARGEST_PART_BYTES, stored: true }
}

fn offset(headers: &HeaderMap) -> Result<u64, Problem> {
    let value = headers.get(UPLOAD_OFFSET_HEADER).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).ok_or_else(|| {
        let detail = "Say where the part begins: `Upload-Offset: 0` for the first, then `received_bytes`.";
        Problem::unprocessable("upload.offset_missing", detail)
    })
}
