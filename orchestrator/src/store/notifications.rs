//! Notifications: at most one open per cause and subject.

use super::error::{Error, Result};
use super::events::{self, EventId, NewEvent};
use super::moved::{Moved, count, word};
use crate::ids::{ActorId, CampaignId, NotificationId, ProjectId, SYSTEM};
use crate::notifications::command::Opening;
use crate::notifications::state::{Event, Rejected, State};
use crate::notifications::{Severity, Topic};
use crate::people::Visible;
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub id: NotificationId,
    pub topic: Topic,
    pub cause: String,
    pub severity: Severity,
    pub title: String,
    pub message: String,
    pub subject: String,
    pub subject_id: String,
    pub campaign_id: Option<CampaignId>,
    pub state: State,
    pub opened_at: DateTime<Utc>,
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Name of the actor.
    pub acknowledged_by: Option<String>,
    pub escalations: u32,
    pub closed_at: Option<DateTime<Utc>>,
}

/// A notification to open.
pub struct New<'a> {
    pub opening: &'a Opening,
    pub title: &'a str,
    pub campaign: Option<CampaignId>,
    /// The event that says so: it opens at most one notification, however often it is read.
    pub event: EventId,
    /// Until the first escalation; `None`: it is not escalated.
    pub escalate_after: Option<Duration>,
}

/// Opens it, with its event; `None` when one is open for the same cause and subject.
pub async fn open(conn: &mut PgConnection, new: &New<'_>) -> Result<Option<NotificationId>> {
    let Opening { topic, cause, message, subject, subject_id } = new.opening;
    let id = sqlx::query_scalar!(
        "insert into notification
             (id, topic, cause, severity, title, message, subject, subject_id, campaign_id, opened_by_event,
              escalate_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + make_interval(secs => $11::float8))
         on conflict do nothing
         returning id",
        NotificationId::fresh().0,
        topic.as_str(),
        cause,
        topic.severity().as_str(),
        new.title,
        message,
        subject,
        subject_id,
        new.campaign.map(|id| id.0),
        new.event.0,
        new.escalate_after.map(|after| after.as_secs_f64()),
    )
    .fetch_optional(&mut *conn)
    .await?
    .map(NotificationId);
    if let Some(id) = id {
        let body = json!({
            "topic": topic, "cause": cause, "severity": topic.severity(), "title": new.title, "message": message,
            "subject": subject, "subject_id": subject_id,
        });
        record(conn, "NotificationOpened", id, new.campaign, SYSTEM, body).await?;
    }
    Ok(id)
}

/// A notification with its row lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    pub id: NotificationId,
    pub topic: Topic,
    pub state: State,
    pub escalations: u32,
    pub campaign_id: Option<CampaignId>,
    pub project_id: Option<ProjectId>,
}

struct LockedRow {
    id: Uuid,
    topic: String,
    state: String,
    escalations: i32,
    campaign_id: Option<Uuid>,
    project_id: Option<Uuid>,
}

impl TryFrom<LockedRow> for Locked {
    type Error = Error;
    fn try_from(row: LockedRow) -> Result<Self> {
        Ok(Locked {
            id: row.id.into(),
            topic: word(row.topic.parse().ok(), "notification.topic", &row.topic)?,
            state: word(State::from_column(&row.state), "notification.state", &row.state)?,
            escalations: count(row.escalations.into())?,
            campaign_id: row.campaign_id.map(Into::into),
            project_id: row.project_id.map(Into::into),
        })
    }
}

/// Those of these causes that are not closed, locked.
pub async fn lock_for(conn: &mut PgConnection, causes: &[String], subject_id: &str) -> Result<Vec<Locked>> {
    let rows = sqlx::query_as!(
        LockedRow,
        r#"select id, topic, state, escalations, campaign_id,
             (select project_id from campaign where campaign.id = campaign_id) as project_id
         from notification
         where cause = any($1) and subject_id = $2 and state <> 'closed'
         order by id
         for update"#,
        causes,
        subject_id
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Locked::try_from).collect()
}

/// One by its id, locked.
pub async fn lock(conn: &mut PgConnection, id: NotificationId) -> Result<Option<Locked>> {
    let row = sqlx::query_as!(
        LockedRow,
        r#"select id, topic, state, escalations, campaign_id,
             (select project_id from campaign where campaign.id = campaign_id) as project_id
         from notification
         where id = $1
         for update"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(Locked::try_from).transpose()
}

/// Up to `limit` that nobody acknowledged in time, locked; what another process has is skipped.
pub async fn lock_to_escalate(conn: &mut PgConnection, limit: i64) -> Result<Vec<Locked>> {
    let rows = sqlx::query_as!(
        LockedRow,
        r#"select id, topic, state, escalations, campaign_id,
             (select project_id from campaign where campaign.id = campaign_id) as project_id
         from notification
         where escalate_at <= now()
         order by escalate_at
         limit $1
         for update skip locked"#,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Locked::try_from).collect()
}

/// Moves a locked notification on, with its event. `escalate_after`: until the next escalation, where it
/// stays open; `None`: there is none.
pub async fn apply(
    conn: &mut PgConnection,
    locked: &mut Locked,
    event: Event,
    escalate_after: Option<Duration>,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    let next = match locked.state.next(event) {
        Ok(next) => next,
        Err(rejected) => return Ok(Moved::Rejected(rejected)),
    };
    let by_person = matches!(event, Event::Acknowledged | Event::Read).then_some(actor.0);
    let escalated = i32::from(event == Event::Escalated);
    let after = escalate_after.filter(|_| next == State::Open).map(|after| after.as_secs_f64());
    let updated = sqlx::query!(
        "update notification
         set state = $3,
             acknowledged_by = coalesce($4, acknowledged_by),
             acknowledged_at = case when $4::uuid is null then acknowledged_at else now() end,
             closed_at = case when $3 = 'closed' then now() end,
             escalations = escalations + $5,
             escalate_at = now() + make_interval(secs => $6::float8)
         where id = $1 and state = $2",
        locked.id.0,
        locked.state.as_str(),
        next.as_str(),
        by_person,
        escalated,
        after
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if updated == 0 {
        return Ok(Moved::ChangedMeanwhile);
    }
    locked.escalations += escalated.unsigned_abs();
    let body = json!({
        "topic": locked.topic, "from": locked.state, "to": next, "escalations": locked.escalations,
    });
    record(conn, event.record(), locked.id, locked.campaign_id, actor, body).await?;
    locked.state = next;
    Ok(Moved::Done)
}

struct Row {
    id: Uuid,
    topic: String,
    cause: String,
    severity: String,
    title: String,
    message: String,
    subject: String,
    subject_id: String,
    campaign_id: Option<Uuid>,
    state: String,
    opened_at: DateTime<Utc>,
    acknowledged_at: Option<DateTime<Utc>>,
    acknowledged_by: Option<String>,
    escalations: i32,
    closed_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Notification {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Notification {
            id: row.id.into(),
            topic: word(row.topic.parse().ok(), "notification.topic", &row.topic)?,
            cause: row.cause,
            severity: word(row.severity.parse().ok(), "notification.severity", &row.severity)?,
            title: row.title,
            message: row.message,
            subject: row.subject,
            subject_id: row.subject_id,
            campaign_id: row.campaign_id.map(Into::into),
            state: word(State::from_column(&row.state), "notification.state", &row.state)?,
            opened_at: row.opened_at,
            acknowledged_at: row.acknowledged_at,
            acknowledged_by: row.acknowledged_by,
            escalations: count(row.escalations.into())?,
            closed_at: row.closed_at,
        })
    }
}

pub async fn get(conn: &mut PgConnection, id: NotificationId) -> Result<Notification> {
    sqlx::query_as!(
        Row,
        r#"select notification.id, topic, cause, severity, title, message, subject, subject_id, campaign_id,
             state, opened_at, acknowledged_at, actor.name as "acknowledged_by?", escalations, closed_at
         from notification
         left join actor on actor.id = notification.acknowledged_by
         where notification.id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Notification::try_from)
    .transpose()?
    .ok_or_else(|| Error::not_found("notification", id))
}

/// Up to `limit`, newest first, behind (older than) `after`. `open`: only those that are not closed.
pub async fn list(
    conn: &mut PgConnection,
    visible: &Visible,
    open: bool,
    after: Option<NotificationId>,
    limit: i64,
) -> Result<Vec<Notification>> {
    sqlx::query_as!(
        Row,
        r#"select notification.id, topic, cause, severity, title, message, subject, subject_id, campaign_id,
             state, opened_at, acknowledged_at, actor.name as "acknowledged_by?", escalations, closed_at
         from notification
         left join actor on actor.id = notification.acknowledged_by
         where (not $1 or state <> 'closed')
           and ($2::uuid is null or notification.id < $2)
           and ($4::uuid[] is null or exists (
               select from campaign
               where campaign.id = notification.campaign_id and campaign.project_id = any($4)))
         order by notification.id desc
         limit $3"#,
        open,
        after.map(|id| id.0),
        limit,
        visible.limit() as Option<Vec<uuid::Uuid>>
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Notification::try_from)
    .collect()
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    id: NotificationId,
    campaign_id: Option<CampaignId>,
    actor: ActorId,
    body: serde_json::Value,
) -> Result<()> {
    let event =
        NewEvent { kind, subject: "notification", subject_id: id.to_string(), campaign_id, actor, body };
    events::append(conn, &event).await.map(drop)
}
