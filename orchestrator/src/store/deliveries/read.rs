//! Reading deliveries and their attempts.

use crate::ids::{ChannelId, DeliveryId, NotificationId};
use crate::notifications::delivery::Word;
use crate::store::error::{Error, Result};
use crate::store::moved::{count, word};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// One telling to one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// What receivers know it by.
    pub id: DeliveryId,
    pub channel_id: ChannelId,
    /// Name of the channel, also when it was removed.
    pub channel: String,
    /// `null`: a test of the channel.
    pub notification_id: Option<NotificationId>,
    /// 0: told for the first time; n: the n-th escalation.
    pub escalation: u32,
    pub state: Word,
    /// Since it was made or ordered again.
    pub tries: u32,
    /// Of all.
    pub attempts: u32,
    /// When it is tried next, where it is pending.
    pub due_at: DateTime<Utc>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub struct Attempt {
    pub attempt: u32,
    pub began_at: DateTime<Utc>,
    /// `null`: under way, or its process was killed.
    pub ended_at: Option<DateTime<Utc>>,
    /// `delivered` or `failed`.
    pub outcome: Option<String>,
    /// Of HTTP or SMTP.
    pub status: Option<i32>,
    /// What went wrong.
    pub detail: Option<String>,
}

struct Row {
    id: Uuid,
    channel_id: Uuid,
    channel: String,
    notification_id: Option<Uuid>,
    escalation: i32,
    state: String,
    tries: i32,
    attempts: i32,
    due_at: DateTime<Utc>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Delivery {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Delivery {
            id: row.id.into(),
            channel_id: row.channel_id.into(),
            channel: row.channel,
            notification_id: row.notification_id.map(Into::into),
            escalation: count(row.escalation.into())?,
            state: word(Word::from_column(&row.state), "delivery.state", &row.state)?,
            tries: count(row.tries.into())?,
            attempts: count(row.attempts.into())?,
            due_at: row.due_at,
            last_error: row.last_error,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}

pub async fn get(conn: &mut PgConnection, id: DeliveryId) -> Result<Delivery> {
    sqlx::query_as!(
        Row,
        "select delivery.id, channel_id, channel.name as channel, notification_id, escalation, state, tries,
             attempts, due_at, last_error, delivery.created_at, ended_at
         from delivery
         join channel on channel.id = delivery.channel_id
         where delivery.id = $1",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Delivery::try_from)
    .transpose()?
    .ok_or_else(|| Error::not_found("delivery", id))
}

/// Up to `limit`, newest first, behind (older than) `after`; of one channel or all, in one state or any.
pub async fn list(
    conn: &mut PgConnection,
    channel: Option<ChannelId>,
    state: Option<Word>,
    after: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>> {
    sqlx::query_as!(
        Row,
        "select delivery.id, channel_id, channel.name as channel, notification_id, escalation, state, tries,
             attempts, due_at, last_error, delivery.created_at, ended_at
         from delivery
         join channel on channel.id = delivery.channel_id
         where ($1::uuid is null or channel_id = $1)
           and ($2::text is null or state = $2)
           and ($3::uuid is null or delivery.id < $3)
         order by delivery.id desc
         limit $4",
        channel.map(|id| id.0),
        state.map(Word::as_str),
        after.map(|id| id.0),
        limit
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Delivery::try_from)
    .collect()
}

/// Every attempt, first to last.
pub async fn attempts(conn: &mut PgConnection, id: DeliveryId) -> Result<Vec<Attempt>> {
    let rows = sqlx::query!(
        "select attempt, began_at, ended_at, outcome, status, detail
         from delivery_attempt
         where delivery_id = $1
         order by attempt",
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Attempt {
                attempt: count(row.attempt.into())?,
                began_at: row.began_at,
                ended_at: row.ended_at,
                outcome: row.outcome,
                status: row.status,
                detail: row.detail,
            })
        })
        .collect()
}
