//! What waits for a person: at most one open per cause and subject.

use super::error::{Error, Result};
use super::events::NewEvent;
use super::outbox;
use crate::ids::{ActorId, CampaignId, SYSTEM, TaskId};
use crate::people::Visible;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a person must look at, and why.
#[derive(Clone, Debug)]
pub struct NewTask<'a> {
    /// Stable: `job.in_doubt`, `plate.quarantined`.
    pub cause: &'a str,
    /// What happened and what to do, in a sentence or two.
    pub message: String,
    /// `job`, `plate`, `round`.
    pub subject: &'a str,
    pub subject_id: String,
    pub campaign_id: Option<CampaignId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    pub id: TaskId,
    pub cause: String,
    pub message: String,
    pub subject: String,
    pub subject_id: String,
    pub campaign_id: Option<CampaignId>,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    /// Name of the actor.
    pub closed_by: Option<String>,
}

/// Opens a task, unless one is open for the same cause and subject: then that one.
pub async fn open(conn: &mut PgConnection, task: &NewTask<'_>) -> Result<TaskId> {
    let row = sqlx::query!(
        r#"insert into task (id, cause, message, subject, subject_id, campaign_id)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (cause, subject_id) where closed_at is null do update set message = excluded.message
         returning id, cause, message, subject, subject_id, campaign_id, (xmax = 0) as "inserted!""#,
        TaskId::fresh().0,
        task.cause,
        task.message,
        task.subject,
        task.subject_id,
        task.campaign_id.map(|id| id.0),
    )
    .fetch_one(&mut *conn)
    .await?;
    let id = TaskId(row.id);
    if row.inserted {
        let about = About {
            id: row.id,
            cause: row.cause,
            message: row.message,
            subject: row.subject,
            subject_id: row.subject_id,
            campaign_id: row.campaign_id,
        };
        record(conn, "TaskOpened", about, SYSTEM).await?;
    }
    Ok(id)
}

/// Closes the open task of this cause and subject, if there is one.
pub async fn close_for(conn: &mut PgConnection, cause: &str, subject_id: &str, by: ActorId) -> Result<bool> {
    let closed = sqlx::query_as!(
        About,
        "update task
         set closed_at = now(), closed_by = $3
         where cause = $1 and subject_id = $2 and closed_at is null
         returning id, cause, message, subject, subject_id, campaign_id",
        cause,
        subject_id,
        by.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    match closed {
        Some(about) => record(conn, "TaskClosed", about, by).await.map(|()| true),
        None => Ok(false),
    }
}

/// How a request to close ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Closed,
    AlreadyDone,
}

/// A person says that it is dealt with. In the caller's transaction: the event goes with it.
pub async fn close(conn: &mut PgConnection, id: TaskId, by: ActorId) -> Result<Closed> {
    let closed = sqlx::query_as!(
        About,
        "update task
         set closed_at = now(), closed_by = $2
         where id = $1 and closed_at is null
         returning id, cause, message, subject, subject_id, campaign_id",
        id.0,
        by.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    match closed {
        Some(about) => record(conn, "TaskClosed", about, by).await.map(|()| Closed::Closed),
        None => get(conn, id).await.map(|_| Closed::AlreadyDone),
    }
}

/// What a task's record says.
struct About {
    id: Uuid,
    cause: String,
    message: String,
    subject: String,
    subject_id: String,
    campaign_id: Option<Uuid>,
}

/// The event and its outbox row: a task opens a notification, and closes it.
async fn record(conn: &mut PgConnection, kind: &'static str, about: About, actor: ActorId) -> Result<()> {
    let event = NewEvent {
        kind,
        subject: "task",
        subject_id: about.id.to_string(),
        campaign_id: about.campaign_id.map(Into::into),
        actor,
        body: json!({
            "cause": about.cause, "message": about.message, "subject": about.subject,
            "subject_id": about.subject_id,
        }),
    };
    outbox::tell(conn, &event).await
}

pub async fn get(conn: &mut PgConnection, id: TaskId) -> Result<Task> {
    sqlx::query_as!(
        Row,
        "select task.id, cause, message, subject, subject_id, campaign_id, opened_at, closed_at,
             actor.name as \"closed_by?\"
         from task
         left join actor on actor.id = task.closed_by
         where task.id = $1",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Task::from)
    .ok_or_else(|| Error::not_found("task", id))
}

/// Up to `limit` tasks of `visible` projects (and those of none, for whoever sees all), oldest first, behind the task `after`. `open`: only those still open.
pub async fn list(
    conn: &mut PgConnection,
    visible: &Visible,
    open: bool,
    after: Option<TaskId>,
    limit: i64,
) -> Result<Vec<Task>> {
    let rows = sqlx::query_as!(
        Row,
        "select task.id, cause, message, subject, subject_id, campaign_id, opened_at, closed_at,
             actor.name as \"closed_by?\"
         from task
         left join actor on actor.id = task.closed_by
         left join campaign on campaign.id = task.campaign_id
         where (not $1 or closed_at is null)
             and ($2::uuid is null or task.id > $2)
             and ($4::uuid[] is null or campaign.project_id = any($4))
         order by task.id
         limit $3",
        open,
        after.map(|id| id.0),
        limit,
        visible.limit() as Option<Vec<Uuid>>
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Task::from).collect())
}

struct Row {
    id: Uuid,
    cause: String,
    message: String,
    subject: String,
    subject_id: String,
    campaign_id: Option<Uuid>,
    opened_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    closed_by: Option<String>,
}

impl From<Row> for Task {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            cause: row.cause,
            message: row.message,
            subject: row.subject,
            subject_id: row.subject_id,
            campaign_id: row.campaign_id.map(Into::into),
            opened_at: row.opened_at,
            closed_at: row.closed_at,
            closed_by: row.closed_by,
        }
    }
}
