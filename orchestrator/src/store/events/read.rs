//! Reading the record, by position.

use super::origin::Origin;
use crate::ids::{ActorId, CampaignId};
use crate::people::Visible;
use crate::store::error::Result;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;

/// An event with its place in the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sealed {
    /// 1 for the first; without gaps.
    pub position: i64,
    pub event_id: i64,
    pub happened_at: DateTime<Utc>,
    pub lab_at: DateTime<Utc>,
    pub kind: String,
    pub subject: String,
    pub subject_id: String,
    pub campaign_id: Option<CampaignId>,
    pub actor_id: ActorId,
    /// Name of the actor.
    pub actor: String,
    pub body: Value,
    /// From where they asked; null: the service itself.
    #[serde(default)]
    #[schema(value_type = Option<Origin>)]
    pub origin: Option<Value>,
    /// SHA-256 over the previous link and this event, in hex.
    pub chain_sha256: String,
}

/// Up to `limit` events behind `position`, in order.
pub async fn read_after(conn: &mut PgConnection, position: i64, limit: i64) -> Result<Vec<Sealed>> {
    read_visible_after(conn, &Visible::All, position, limit).await
}

/// The same, only those of campaigns in `visible` projects: with gaps, then.
pub async fn read_visible_after(
    conn: &mut PgConnection,
    visible: &Visible,
    position: i64,
    limit: i64,
) -> Result<Vec<Sealed>> {
    read_between(conn, visible, position, i64::MAX, limit).await
}

/// What a look at the record brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    pub events: Vec<Sealed>,
    /// Nothing up to here is left to be shown.
    pub seen: i64,
}

/// Up to `limit` events behind `position` that are `visible`, and how far it was looked: over `reach` positions at most,
/// so that whoever may see little of a long record does not read all of it in one statement.
pub async fn look(
    conn: &mut PgConnection,
    visible: &Visible,
    position: i64,
    reach: i64,
    limit: i64,
) -> Result<Look> {
    // Before the events: what is sealed in between is behind it, and is seen by the next look.
    let (head, _) = head(conn).await?;
    let end = head.min(position.saturating_add(reach));
    if end <= position {
        return Ok(Look { events: Vec::new(), seen: position });
    }
    let events = read_between(conn, visible, position, end, limit).await?;
    let is_full = i64::try_from(events.len()).is_ok_and(|read| read >= limit);
    let seen = events.last().filter(|_| is_full).map_or(end, |last| last.position);
    Ok(Look { events, seen })
}

/// Up to `limit` events behind `position`, and not behind `end`.
async fn read_between(
    conn: &mut PgConnection,
    visible: &Visible,
    position: i64,
    end: i64,
    limit: i64,
) -> Result<Vec<Sealed>> {
    let rows = sqlx::query!(
        "select
             event_seal.position, event_seal.chain_sha256,
             event.id, event.happened_at, event.lab_at, event.kind, event.subject, event.subject_id,
             event.campaign_id, event.actor_id, event.body, event.origin,
             actor.name as actor
         from event_seal
         join event on event.id = event_seal.event_id
         join actor on actor.id = event.actor_id
         left join campaign on campaign.id = event.campaign_id
         where event_seal.position > $1
           and event_seal.position <= $4
           and ($3::uuid[] is null or campaign.project_id = any($3))
         order by event_seal.position
         limit $2",
        position,
        limit,
        visible.limit() as Option<Vec<uuid::Uuid>>,
        end
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Sealed {
            position: row.position,
            event_id: row.id,
            happened_at: row.happened_at,
            lab_at: row.lab_at,
            kind: row.kind,
            subject: row.subject,
            subject_id: row.subject_id,
            campaign_id: row.campaign_id.map(Into::into),
            actor_id: row.actor_id.into(),
            actor: row.actor,
            body: row.body,
            origin: row.origin,
            chain_sha256: hex::encode(row.chain_sha256),
        })
        .collect())
}

/// Position and link (hex) of the newest sealed event; 0 and zeros for none. Goes into backups and the log.
pub async fn head(conn: &mut PgConnection) -> Result<(i64, String)> {
    let row = sqlx::query!("select position, chain_sha256 from event_sealer").fetch_one(conn).await?;
    Ok((row.position, hex::encode(row.chain_sha256)))
}
