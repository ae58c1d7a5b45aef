//! `POST /batches/{id}/remove|add`

use super::refusal;
use crate::api::access::Caller;
use crate::api::etag::IfMatch;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write, given};
use crate::batches::edit::{self, Edited};
use crate::ids::{BatchId, ProposalId};
use crate::store::batches;
use crate::store::jobs::Consequences;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jobs::{Context, Experiment, JobId, Perturbation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One experiment out.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    pub proposal_id: ProposalId,
    pub reason: String,
}

/// One experiment in, by hand.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Edits joined by `+`.
    pub perturbation: Perturbation,
    pub context: Context,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EditDisposition {
    Done,
    /// It was so before; nothing changed.
    AlreadyDone,
}

/// What the edit did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EditAnswer {
    pub disposition: EditDisposition,
    /// The batch's now; send it as `If-Match` with the next change.
    pub revision: u32,
    /// The runner-up that took the place of what was removed.
    pub replacement: Option<Experiment>,
    /// The job that a learner answers with the prediction of what was added, when the stored posterior does not
    /// have it; its answer is filled in when it comes.
    pub prediction_job_id: Option<JobId>,
}

/// Removes an experiment; the next best takes its place.
///
/// `If-Match` is the batch's revision. Approvals of earlier revisions no longer count.
#[utoipa::path(post, path = "/batches/{id}/remove", tag = "batches", request_body = Remove,
    params(("id" = BatchId, Path), ("if-match" = String, Header), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = EditAnswer), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`batch.not_awaiting_approval`, `round.held`"),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    seen: IfMatch,
    Path(id): Path<BatchId>,
    Json(request): Json<Remove>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let asked = (id, seen.0, &request);
    let mut write = match Write::begin(&state, &caller, key, "POST /batches/{id}/remove", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let actor = write.actor();
    let edited = edit::remove(write.conn(), id, seen.revision(), request.proposal_id, reason, actor).await?;
    if edited == Edited::NotFound && batches::by_id(write.conn(), id).await?.is_some() {
        return Err(Problem::not_found("proposal", format!("{} in this batch", request.proposal_id)));
    }
    answer(*write, id, seen, edited, &Consequences::default()).await
}

/// Adds an experiment by hand.
///
/// `If-Match` is the batch's revision. The experiment is one of the campaign's design space. Its prediction is looked
/// up; when it is not there, a learner is asked and the request does not wait for the answer.
#[utoipa::path(post, path = "/batches/{id}/add", tag = "batches", request_body = Add,
    params(("id" = BatchId, Path), ("if-match" = String, Header), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = EditAnswer), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`batch.not_awaiting_approval`, `round.held`"),
        (status = 412, body = Problem), (status = 422, body = Problem, description = "`batch.not_in_pool`"),
        (status = 428, body = Problem)))]
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    seen: IfMatch,
    Path(id): Path<BatchId>,
    Json(request): Json<Add>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let asked = (id, seen.0, &request);
    let mut write = match Write::begin(&state, &caller, key, "POST /batches/{id}/add", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let experiment =
        Experiment { perturbation: request.perturbation.clone(), context: request.context.clone() };
    let actor = write.actor();
    let mut out = Consequences::default();
    let edited = edit::add(write.conn(), id, seen.revision(), &experiment, reason, actor, &mut out).await?;
    answer(*write, id, seen, edited, &out).await
}

async fn answer(
    mut write: Write,
    id: BatchId,
    seen: IfMatch,
    edited: Edited,
    out: &Consequences,
) -> Result<Response, Problem> {
    let answer = match edited {
        Edited::Done { revision, replaced_by, prediction_job } => EditAnswer {
            disposition: EditDisposition::Done,
            revision,
            replacement: replaced_by,
            prediction_job_id: prediction_job,
        },
        Edited::AlreadyDone => {
            let batch =
                batches::by_id(write.conn(), id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
            EditAnswer {
                disposition: EditDisposition::AlreadyDone,
                revision: batch.revision,
                replacement: None,
                prediction_job_id: None,
            }
        }
        Edited::NotInPool { why } => {
            let detail = format!("It is not in the campaign's design space: {why}.");
            return Err(Problem::unprocessable("batch.not_in_pool", detail));
        }
        Edited::NotFound => return Err(Problem::not_found("batch", id)),
        Edited::RevisionChanged { now } => return Err(seen.outdated(now)),
        Edited::NotAwaiting { state } => return Err(refusal::not_awaiting(state)),
        Edited::RoundHeld => return Err(refusal::round_held()),
    };
    write.finish(StatusCode::OK, &answer, out).await
}
