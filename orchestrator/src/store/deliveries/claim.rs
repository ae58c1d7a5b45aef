//! Claiming what is due, and saying how it ended.

use crate::channels::Kind;
use crate::ids::{ChannelId, DeliveryId};
use crate::notifications::delivery::{Event, State};
use crate::store::error::Result;
use crate::store::moved::{corrupt, count, word};
use crate::store::notifications::{self, Notification};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// A delivery in this process's hands, until the claim expires.
#[derive(Clone, PartialEq)]
pub struct Claimed {
    pub id: DeliveryId,
    pub claim_token: Uuid,
    /// Since it was made or ordered again, this one included.
    pub tries: u32,
    /// Of all, this one included.
    pub attempt: u32,
    pub escalation: u32,
    pub created_at: DateTime<Utc>,
    pub channel_id: ChannelId,
    pub channel_name: String,
    pub kind: Kind,
    pub target: String,
    pub sealed: Option<Vec<u8>>,
    /// `None`: a test of the channel.
    pub notification: Option<Notification>,
}

/// Claimed of one channel at once: one that hangs leaves room for the others.
const OF_ONE_CHANNEL: i64 = 2;

/// Claims up to `limit` that are due, for `lifetime`, and writes down that an attempt begins. Of each channel few, what
/// was never tried first: what fails again and again stands before nothing that is told for the first time. One of each
/// channel comes before the second of any.
pub async fn claim(conn: &mut PgConnection, limit: i64, lifetime: Duration) -> Result<Vec<Claimed>> {
    let token = Uuid::new_v4();
    let rows = sqlx::query!(
        r#"with picked as materialized (
             select id
             from (
                 select due.id, due.tries, due.due_at,
                     row_number() over (partition by channel.id order by due.tries, due.due_at) as place
                 from channel
                 cross join lateral (
                     select delivery.id, delivery.tries, delivery.due_at
                     from delivery
                     where delivery.channel_id = channel.id
                       and state = 'pending'
                       and due_at <= now()
                       and (claim_expires_at is null or claim_expires_at < now())
                     order by tries, due_at
                     limit $4
                     for update skip locked) as due) as of_channels
             order by place, tries, due_at
             limit $1
         ), claimed as (
             update delivery
             set claim_token = $2,
                 claim_expires_at = now() + make_interval(secs => $3),
                 tries = tries + 1,
                 attempts = attempts + 1
             from picked
             where delivery.id = picked.id
             returning delivery.id, delivery.notification_id, delivery.channel_id, delivery.escalation,
                 delivery.tries, delivery.attempts, delivery.created_at
         ), begun as (
             insert into delivery_attempt (delivery_id, attempt)
             select id, attempts
             from claimed
         )
         select claimed.id, claimed.notification_id, claimed.channel_id, claimed.escalation, claimed.tries,
             claimed.attempts, claimed.created_at, channel.name, channel.kind, channel.target, channel.sealed
         from claimed
         join channel on channel.id = claimed.channel_id"#,
        limit,
        token,
        lifetime.as_secs_f64(),
        OF_ONE_CHANNEL
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let notification = match row.notification_id {
            Some(id) => Some(notifications::get(conn, id.into()).await?),
            None => None,
        };
        claimed.push(Claimed {
            id: row.id.into(),
            claim_token: token,
            tries: count(row.tries.into())?,
            attempt: count(row.attempts.into())?,
            escalation: count(row.escalation.into())?,
            created_at: row.created_at,
            channel_id: row.channel_id.into(),
            channel_name: row.name,
            kind: word(Kind::from_column(&row.kind), "channel.kind", &row.kind)?,
            target: row.target,
            sealed: row.sealed,
            notification,
        });
    }
    Ok(claimed)
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// `Delivered`, `FailedForNow` or `FailedForGood`.
    pub event: Event,
    pub status: Option<u16>,
    /// What went wrong.
    pub detail: Option<String>,
    /// Before the next try, if there is one.
    pub wait: Duration,
}

/// Writes the ending down. Answers the delivery's state; `None` when the claim was lost meanwhile: the
/// attempt is on record, and whoever has the delivery now decides.
pub async fn end(conn: &mut PgConnection, claimed: &Claimed, ending: &Ending) -> Result<Option<State>> {
    let next = State::Pending { tries: claimed.tries }.next(ending.event).map_err(corrupt)?;
    sqlx::query!(
        "update delivery_attempt
         set ended_at = now(), outcome = $3, status = $4, detail = $5
         where delivery_id = $1 and attempt = $2 and ended_at is null",
        claimed.id.0,
        i32::try_from(claimed.attempt).map_err(corrupt)?,
        if ending.event == Event::Delivered { "delivered" } else { "failed" },
        ending.status.map(i32::from),
        ending.detail
    )
    .execute(&mut *conn)
    .await?;
    let updated = sqlx::query!(
        "update delivery
         set state = $3,
             claim_token = null,
             claim_expires_at = null,
             due_at = now() + make_interval(secs => $4),
             last_error = $5,
             ended_at = case when $3 = 'pending' then null else now() end
         where id = $1 and claim_token = $2",
        claimed.id.0,
        claimed.claim_token,
        next.word().as_str(),
        ending.wait.as_secs_f64(),
        ending.detail
    )
    .execute(conn)
    .await?
    .rows_affected();
    Ok((updated > 0).then_some(next))
}

impl std::fmt::Debug for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claimed {{ id: {}, channel: {}, attempt: {} }}", self.id, self.channel_name, self.attempt)
    }
}
