//! `GET /batches..`

use super::record::{record, records};
use super::view::{BatchRecord, ProposalRecord};
use crate::api::access::Caller;
use crate::api::etag::etag;
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::batches::State as BatchState;
use crate::ids::{BatchId, RoundId};
use crate::store::batches;
use crate::store::people::projects::Subject;
use crate::store::proposals::{self, Status};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BatchQuery {
    /// Every batch of this round, first to last; not by pages.
    pub round: Option<RoundId>,
    /// Only those in this state; `awaiting_approval` when neither is given.
    pub state: Option<BatchState>,
}

/// Batches that wait for approval, the oldest first; or those in another state, the newest first; or those of a round.
#[utoipa::path(get, path = "/batches", tag = "batches", params(BatchQuery, PageQuery),
    responses((status = 200, body = Page<BatchRecord>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<BatchQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<BatchRecord>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    if let Some(round) = query.round {
        caller.require_sight_of(&mut conn, Subject::Round, round.0).await?;
        let mut found = batches::of_round(&mut conn, round).await?;
        found.retain(|batch| query.state.is_none_or(|wanted| batch.state == wanted));
        return Ok(Json(Page { items: records(&mut conn, found, &caller).await?, next_cursor: None }));
    }
    let wanted = query.state.unwrap_or(BatchState::AwaitingApproval);
    let found = batches::in_state(&mut conn, &caller.visible(), wanted, page.after()?, page.limit()).await?;
    let items = records(&mut conn, found, &caller).await?;
    Ok(Json(Page::new(items, &page, |batch| batch.id)))
}

/// One batch, with its draft plan and verdicts. The `ETag` is its revision.
#[utoipa::path(get, path = "/batches/{id}", tag = "batches", params(("id" = BatchId, Path)),
    responses((status = 200, body = BatchRecord), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<BatchId>,
) -> Result<Response, Problem> {
    let mut conn = state.pool.acquire().await?;
    let batch = batches::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
    let revision = i32::try_from(batch.revision).unwrap_or(i32::MAX);
    let record = record(&mut conn, batch, &caller).await?;
    Ok(([etag(revision)], Json(record)).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ProposalQuery {
    /// Only those in this status.
    pub status: Option<Status>,
}

/// Its experiments, best first.
#[utoipa::path(get, path = "/batches/{id}/proposals", tag = "batches",
    params(("id" = BatchId, Path), ProposalQuery), responses((status = 200, body = Page<ProposalRecord>)))]
pub(super) async fn list_proposals(
    State(state): State<AppState>,
    Path(id): Path<BatchId>,
    Query(query): Query<ProposalQuery>,
) -> Result<Json<Page<ProposalRecord>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let items = proposals::of_batch(&mut conn, id)
        .await?
        .into_iter()
        .filter(|proposal| query.status.is_none_or(|wanted| proposal.status == wanted))
        .map(Into::into)
        .collect();
    Ok(Json(Page { items, next_cursor: None }))
}
