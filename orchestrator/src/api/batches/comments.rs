//! `GET|POST /batches/{id}/comments`

use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::once::IdempotencyKey;
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write};
use crate::ids::{ActorId, BatchId};
use crate::store::batches;
use crate::store::comments::{self, Comment};
use crate::store::jobs::Consequences;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

const MOST_CHARACTERS: usize = 4000;

/// A word on a batch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    /// 1 to 4,000 characters.
    pub text: String,
}

/// What somebody said of a batch; never changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommentRecord {
    pub id: Uuid,
    pub actor_id: ActorId,
    /// Name of who said it.
    pub actor: String,
    pub text: String,
    pub at: DateTime<Utc>,
}

impl From<Comment> for CommentRecord {
    fn from(comment: Comment) -> Self {
        let Comment { id, actor_id, actor, text, at } = comment;
        Self { id, actor_id, actor, text, at }
    }
}

/// What people say of a batch, first to last.
#[utoipa::path(get, path = "/batches/{id}/comments", tag = "batches", params(("id" = BatchId, Path), PageQuery),
    responses((status = 200, body = Page<CommentRecord>), (status = 404, body = Problem)))]
pub(super) async fn list_comments(
    State(state): State<AppState>,
    Path(id): Path<BatchId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CommentRecord>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    batches::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
    let found = comments::list(&mut conn, id, page.after()?, page.limit()).await?;
    let items = found.into_iter().map(CommentRecord::from).collect();
    Ok(Json(Page::new(items, &page, |comment| comment.id)))
}

/// Says something of a batch, whatever its state. It moves no revision: approvals stand.
#[utoipa::path(post, path = "/batches/{id}/comments", tag = "batches", request_body = NewComment,
    params(("id" = BatchId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 201, body = CommentRecord), (status = 404, body = Problem),
        (status = 422, body = Problem, description = "`batch.comment_length`")))]
pub(super) async fn comment(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<BatchId>,
    Json(request): Json<NewComment>,
) -> Result<Response, Problem> {
    let text = request.text.trim();
    let length = text.chars().count();
    if !(1..=MOST_CHARACTERS).contains(&length) || text.contains('\0') {
        let detail =
            format!("`text` has {length} characters; it has 1 to {MOST_CHARACTERS}, none of them NUL.");
        return Err(Problem::unprocessable("batch.comment_length", detail));
    }
    let asked = (id, &request);
    let mut write = match Write::begin(&state, &caller, key, "POST /batches/{id}/comments", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let batch = batches::by_id(write.conn(), id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
    let actor = write.actor();
    let comment = comments::add(write.conn(), &batch, text, actor).await?;
    write.finish(StatusCode::CREATED, &CommentRecord::from(comment), &Consequences::default()).await
}
