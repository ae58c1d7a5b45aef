//! `POST /batches/{id}/approve`

use super::refusal;
use super::view::BatchRecord;
use crate::api::access::Caller;
use crate::api::etag::IfMatch;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write};
use crate::batches::State as BatchState;
use crate::batches::approve::{self, Approved};
use crate::ids::BatchId;
use crate::store::batches::{self, Batch};
use crate::store::jobs::Consequences;
use crate::store::{campaigns, rounds};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A yes, with a remark if there is one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Approve {
    pub reason: Option<String>,
}

/// What the yes did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApproveDisposition {
    /// It was the last one needed: the batch is frozen and goes to the robots.
    Frozen,
    /// Kept; more people must approve.
    Recorded,
    /// This actor had approved this revision, or the batch was approved already.
    AlreadyDone,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApproveAnswer {
    pub disposition: ApproveDisposition,
    /// How many people more must approve this revision.
    pub missing_approvals: u32,
    pub batch: BatchRecord,
}

/// Approves a batch as it was read.
///
/// `If-Match` is its revision: what somebody changed meanwhile is not approved. The last approval needed freezes
/// content, layout seed and plan under one hash; nothing is dispatched before.
#[utoipa::path(post, path = "/batches/{id}/approve", tag = "batches", request_body = Approve,
    params(("id" = BatchId, Path), ("if-match" = String, Header), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = ApproveAnswer), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`batch.not_awaiting_approval`, `batch.not_drafted`, \
            `batch.cannot_be_planned`, `round.held`"),
        (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    seen: IfMatch,
    Path(id): Path<BatchId>,
    Json(request): Json<Approve>,
) -> Result<Response, Problem> {
    let asked = (id, seen.0, &request);
    let mut write = match Write::begin(&state, &caller, key, "POST /batches/{id}/approve", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let reason = request.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let actor = write.actor();
    let disposition = match approve::approve_with(write.conn(), id, seen.revision(), reason, actor).await? {
        Approved::Frozen { .. } => ApproveDisposition::Frozen,
        Approved::Recorded { .. } => ApproveDisposition::Recorded,
        Approved::AlreadyDone => ApproveDisposition::AlreadyDone,
        Approved::NotFound => return Err(Problem::not_found("batch", id)),
        Approved::RevisionChanged { now } => return Err(seen.outdated(now)),
        Approved::NotAwaiting { state } => return Err(refusal::not_awaiting(state)),
        Approved::RoundHeld => return Err(refusal::round_held()),
        Approved::NotDrafted => {
            let detail = "Its plan is still being computed. Look at it again in a moment, then approve.";
            return Err(Problem::conflict("batch.not_drafted", detail));
        }
        Approved::CannotBePlanned { reason } => {
            let detail = format!(
                "It cannot be carried out as it stands: {reason}. Edit it, or bring what is missing."
            );
            return Err(Problem::conflict("batch.cannot_be_planned", detail));
        }
    };
    let batch = batches::by_id(write.conn(), id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
    let missing_approvals = missing_approvals(&mut write, &batch).await?;
    let batch = super::read::record(write.conn(), batch).await?;
    let answer = ApproveAnswer { disposition, missing_approvals, batch };
    write.finish(StatusCode::OK, &answer, &Consequences::default()).await
}

async fn missing_approvals(write: &mut Write, batch: &Batch) -> Result<u32, Problem> {
    if batch.state != BatchState::AwaitingApproval {
        return Ok(0);
    }
    let round = rounds::by_id(write.conn(), batch.round_id)
        .await?
        .ok_or_else(|| Problem::not_found("round", batch.round_id))?;
    let version = campaigns::version(write.conn(), round.campaign_id, round.campaign_version)
        .await?
        .ok_or_else(|| Problem::not_found("campaign version", round.campaign_version))?;
    let given = batches::approvals(write.conn(), batch).await?;
    Ok(version.spec.policy.approvals.saturating_sub(given))
}
