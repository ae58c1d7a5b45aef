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
use crate::batches::gate::Gate;
use crate::ids::BatchId;
use crate::store::jobs::Consequences;
use crate::store::{batches, rounds};
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
/// content, layout seed and plan under one hash; nothing is dispatched before. A person with an account counts for the
/// roles granted in the campaign's project, one place each; who edited the batch is never its only approver, unless
/// the policy allows it.
#[utoipa::path(post, path = "/batches/{id}/approve", tag = "batches", request_body = Approve,
    params(("id" = BatchId, Path), ("if-match" = String, Header), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = ApproveAnswer), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`batch.not_awaiting_approval`, `batch.not_drafted`, \
            `batch.cannot_be_planned`, `batch.self_approval`, `batch.role_missing`, `approval.expired`, `round.held`"),
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
        Approved::Closed(closed) => return Err(refusal::closed(closed)),
    };
    let batch = batches::by_id(write.conn(), id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
    let round = rounds::by_id(write.conn(), batch.round_id)
        .await?
        .ok_or_else(|| Problem::not_found("round", batch.round_id))?;
    let waits = batch.state == BatchState::AwaitingApproval;
    let tally = Gate::read(write.conn(), &round, &batch).await?.tally();
    let missing_approvals = if waits { tally.missing_people() } else { 0 };
    let batch = super::record::record(write.conn(), batch, &caller).await?;
    let answer = ApproveAnswer { disposition, missing_approvals, batch };
    write.finish(StatusCode::OK, &answer, &Consequences::default()).await
}
