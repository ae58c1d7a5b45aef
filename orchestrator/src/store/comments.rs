//! What people say of a batch. Added to, never changed.

use super::Result;
use super::batches::Batch;
use super::moved::{self, Record};
use crate::ids::{ActorId, BatchId};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: Uuid,
    pub actor_id: ActorId,
    /// Name of the actor.
    pub actor: String,
    pub text: String,
    pub at: DateTime<Utc>,
}

/// Keeps a comment.
pub async fn add(conn: &mut PgConnection, batch: &Batch, text: &str, actor: ActorId) -> Result<Comment> {
    let comment = sqlx::query_as!(
        Comment,
        "with added as (
             insert into batch_comment (id, batch_id, actor_id, text)
             values ($1, $2, $3, $4)
             returning id, actor_id, text, at)
         select added.id, added.actor_id, actor.name as actor, added.text, added.at
         from added
         join actor on actor.id = added.actor_id",
        Uuid::now_v7(),
        batch.id.0,
        actor.0,
        text
    )
    .fetch_one(&mut *conn)
    .await?;
    let body = json!({"comment_id": comment.id, "revision": batch.revision, "text": text});
    let subject_id = batch.id.to_string();
    let kind = "BatchCommented";
    let campaign = batch.campaign_id;
    moved::record(conn, Record { kind, subject: "batch", subject_id, campaign, actor, body: &body }).await?;
    Ok(comment)
}

/// Up to `limit` comments, first to last, behind the comment `after`.
pub async fn list(
    conn: &mut PgConnection,
    batch: BatchId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Comment>> {
    Ok(sqlx::query_as!(
        Comment,
        "select batch_comment.id, actor_id, actor.name as actor, text, at
         from batch_comment
         join actor on actor.id = batch_comment.actor_id
         where batch_id = $1
           and ($2::uuid is null or batch_comment.id > $2)
         order by batch_comment.id
         limit $3",
        batch.0,
        after,
        limit
    )
    .fetch_all(conn)
    .await?)
}
