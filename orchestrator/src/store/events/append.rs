//! Adding to the record, in the transaction of the change it tells.

use super::origin;
use crate::ids::{ActorId, CampaignId};
use crate::store::error::Result;
use serde_json::Value;
use sqlx::PgConnection;

/// The row of an event: unique, in no useful order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub i64);

/// Something that happened.
#[derive(Clone, Debug)]
pub struct NewEvent<'a> {
    /// In the past tense: `RoundClosed`.
    pub kind: &'a str,
    /// What it happened to: `round`, `job`.
    pub subject: &'a str,
    pub subject_id: String,
    pub campaign_id: Option<CampaignId>,
    /// Whoever did it.
    pub actor: ActorId,
    pub body: Value,
}

/// Adds an event to the record, with the origin of the work at hand ([`super::origin`]).
pub async fn append(conn: &mut PgConnection, event: &NewEvent<'_>) -> Result<EventId> {
    insert(conn, event, false).await
}

/// The same, and to what is looked at after the commit ([`crate::store::outbox`]).
pub(in crate::store) async fn append_and_look(
    conn: &mut PgConnection,
    event: &NewEvent<'_>,
) -> Result<EventId> {
    insert(conn, event, true).await
}

async fn insert(conn: &mut PgConnection, event: &NewEvent<'_>, looked_at: bool) -> Result<EventId> {
    let id = sqlx::query_scalar!(
        "with appended as (
             insert into event (lab_at, kind, subject, subject_id, campaign_id, actor_id, body, origin)
             values (lab_now(), $1, $2, $3, $4, $5, $6, $7)
             returning id
         ), looked_at as (
             insert into outbox (event_id, topic) select id, $2 from appended where $8
         )
         select id from appended",
        event.kind,
        event.subject,
        event.subject_id,
        event.campaign_id.map(|id| id.0),
        event.actor.0,
        event.body,
        origin::current(),
        looked_at
    )
    .fetch_one(conn)
    .await?;
    Ok(EventId(id))
}
