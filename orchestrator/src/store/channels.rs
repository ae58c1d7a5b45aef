//! The ways out to people. Secrets come and go sealed; what is read for showing has none.

use super::error::{Error, Result};
use super::moved::{count, word};
use crate::channels::Kind;
use crate::ids::{ActorId, ChannelId, ProjectId};
use crate::notifications::{Interest, Severity, Topic};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// A channel as it may be shown: without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    pub kind: Kind,
    /// Address of the webhook, mailbox, or only the host of Slack's address, which is a secret.
    pub target: String,
    /// Empty: every topic.
    pub topics: Vec<Topic>,
    pub minimum_severity: Severity,
    /// `null`: every project, and what belongs to none (instruments).
    pub project_id: Option<ProjectId>,
    /// 0: told when a notification opens; n: told with its n-th escalation.
    pub escalation_level: u32,
    pub enabled: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Deliveries under way or to be tried again.
    pub pending: i64,
    /// Deliveries given up.
    pub dead: i64,
    pub last_delivered_at: Option<DateTime<Utc>>,
}

/// What a person says of a channel, its target and secret apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    pub name: String,
    pub interest: Interest,
    pub enabled: bool,
}

/// Where it leads, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub shown: String,
    pub sealed: Option<Vec<u8>>,
}

pub async fn insert(
    conn: &mut PgConnection,
    id: ChannelId,
    kind: Kind,
    target: &Target,
    wishes: &Wishes,
    by: ActorId,
) -> Result<()> {
    sqlx::query!(
        "insert into channel
             (id, name, kind, target, sealed, topics, minimum_severity, project_id, escalation_level, enabled,
              created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id.0,
        wishes.name,
        kind.as_str(),
        target.shown,
        target.sealed,
        &words(&wishes.interest.topics),
        wishes.interest.minimum_severity.as_str(),
        wishes.interest.project.map(|id| id.0),
        level(wishes.interest.escalation_level)?,
        wishes.enabled,
        by.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes what is wished, and the target where one is given.
pub async fn update(
    conn: &mut PgConnection,
    id: ChannelId,
    target: Option<&Target>,
    wishes: &Wishes,
) -> Result<()> {
    let updated = sqlx::query!(
        "update channel
         set name = $2, topics = $3, minimum_severity = $4, project_id = $5, escalation_level = $6,
             enabled = $7, target = coalesce($8, target), sealed = coalesce($9, sealed), updated_at = now()
         where id = $1 and removed_at is null",
        id.0,
        wishes.name,
        &words(&wishes.interest.topics),
        wishes.interest.minimum_severity.as_str(),
        wishes.interest.project.map(|id| id.0),
        level(wishes.interest.escalation_level)?,
        wishes.enabled,
        target.map(|target| target.shown.as_str()),
        target.and_then(|target| target.sealed.as_deref())
    )
    .execute(conn)
    .await?
    .rows_affected();
    if updated == 0 { Err(Error::not_found("channel", id)) } else { Ok(()) }
}

/// Removes it and forgets its secret; its deliveries stay on record.
pub async fn remove(conn: &mut PgConnection, id: ChannelId) -> Result<()> {
    let removed = sqlx::query!(
        "update channel
         set removed_at = now(), enabled = false, sealed = null, updated_at = now()
         where id = $1 and removed_at is null",
        id.0
    )
    .execute(conn)
    .await?
    .rows_affected();
    if removed == 0 { Err(Error::not_found("channel", id)) } else { Ok(()) }
}

/// How many there are.
pub async fn total(conn: &mut PgConnection) -> Result<u32> {
    let total = sqlx::query_scalar!(r#"select count(*) as "count!" from channel where removed_at is null"#)
        .fetch_one(conn)
        .await?;
    count(total)
}

/// The secret as it is kept.
pub async fn sealed(conn: &mut PgConnection, id: ChannelId) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select sealed from channel where id = $1 and removed_at is null", id.0)
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| Error::not_found("channel", id))
}

/// What each enabled channel wants to be told.
pub async fn interests(conn: &mut PgConnection) -> Result<Vec<(ChannelId, Interest)>> {
    let rows = sqlx::query!(
        "select id, topics, minimum_severity, project_id, escalation_level
         from channel
         where enabled
         order by id"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let interest = Interest {
                topics: topics(&row.topics)?,
                minimum_severity: severity(&row.minimum_severity)?,
                project: row.project_id.map(Into::into),
                escalation_level: count(row.escalation_level.into())?,
            };
            Ok((row.id.into(), interest))
        })
        .collect()
}

struct Row {
    id: Uuid,
    name: String,
    kind: String,
    target: String,
    topics: Vec<String>,
    minimum_severity: String,
    project_id: Option<Uuid>,
    escalation_level: i32,
    enabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    pending: i64,
    dead: i64,
    last_delivered_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Channel {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Channel {
            id: row.id.into(),
            name: row.name,
            kind: word(Kind::from_column(&row.kind), "channel.kind", &row.kind)?,
            target: row.target,
            topics: topics(&row.topics)?,
            minimum_severity: severity(&row.minimum_severity)?,
            project_id: row.project_id.map(Into::into),
            escalation_level: count(row.escalation_level.into())?,
            enabled: row.enabled,
            created_at: row.created_at,
            updated_at: row.updated_at,
            pending: row.pending,
            dead: row.dead,
            last_delivered_at: row.last_delivered_at,
        })
    }
}

pub async fn get(conn: &mut PgConnection, id: ChannelId) -> Result<Channel> {
    select(conn, Some(id), None, 1).await?.pop().ok_or_else(|| Error::not_found("channel", id))
}

/// Up to `limit` channels, oldest first, behind `after`.
pub async fn list(conn: &mut PgConnection, after: Option<ChannelId>, limit: i64) -> Result<Vec<Channel>> {
    select(conn, None, after, limit).await
}

async fn select(
    conn: &mut PgConnection,
    id: Option<ChannelId>,
    after: Option<ChannelId>,
    limit: i64,
) -> Result<Vec<Channel>> {
    sqlx::query_as!(
        Row,
        r#"select id, name, kind, target, topics, minimum_severity, project_id, escalation_level, enabled,
             created_at, updated_at,
             (select count(*) from delivery where channel_id = channel.id and delivery.state = 'pending') as "pending!",
             (select count(*) from delivery where channel_id = channel.id and delivery.state = 'dead') as "dead!",
             (select max(ended_at) from delivery where channel_id = channel.id and delivery.state = 'delivered')
                 as "last_delivered_at?"
         from channel
         where removed_at is null
           and ($1::uuid is null or id = $1)
           and ($2::uuid is null or id > $2)
         order by id
         limit $3"#,
        id.map(|id| id.0),
        after.map(|id| id.0),
        limit
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Channel::try_from)
    .collect()
}

fn words(topics: &[Topic]) -> Vec<String> {
    topics.iter().map(|topic| topic.as_str().to_owned()).collect()
}

fn topics(words: &[String]) -> Result<Vec<Topic>> {
    words.iter().map(|it| word(it.parse().ok(), "channel.topics", it)).collect()
}

fn severity(text: &str) -> Result<Severity> {
    word(text.parse().ok(), "channel.minimum_severity", text)
}

fn level(level: u32) -> Result<i32> {
    i32::try_from(level).map_err(|_| Error::Refused(format!("{level} is no escalation level")))
}
