//! The record as anybody can check it: each event's canonical text with the link that it makes.

use super::canonical::{Form, Recorded};
use super::chain::Broken;
use crate::store::error::{Error, Result};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

/// One line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exported {
    /// 1 for the first; without gaps.
    pub position: i64,
    /// Hex of SHA-256 over the 32 bytes of the link before (zeros before the first) and the bytes of `event`.
    pub chain_sha256: String,
    /// The event in its canonical form: JSON, as text, to be hashed as it stands.
    pub event: String,
}

/// Up to `limit` sealed events behind `position`, in order.
pub async fn export_after(conn: &mut PgConnection, position: i64, limit: i64) -> Result<Vec<Exported>> {
    let rows = sqlx::query!(
        "select
             event_seal.position, event_seal.chain_sha256, event_seal.form,
             event.id, event.happened_at, event.lab_at, event.kind, event.subject, event.subject_id,
             event.campaign_id, event.actor_id, event.body, event.origin
         from event_seal
         join event on event.id = event_seal.event_id
         where event_seal.position > $1
         order by event_seal.position
         limit $2",
        position,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let form = Form::from_column(row.form).ok_or_else(|| {
                Error::corrupt("event seal", format!("form {} at position {}", row.form, row.position))
            })?;
            let event = Recorded {
                id: row.id,
                happened_at: row.happened_at,
                lab_at: row.lab_at,
                kind: row.kind,
                subject: row.subject,
                subject_id: row.subject_id,
                campaign_id: row.campaign_id.map(Into::into),
                actor: row.actor_id.into(),
                body: row.body,
                origin: row.origin,
            };
            Ok(Exported {
                position: row.position,
                chain_sha256: hex::encode(row.chain_sha256),
                event: event.canonical(form),
            })
        })
        .collect()
}

/// Whether every event of a time that was sealed has its position: one without was put in behind the sealer's back,
/// or its position was taken away.
pub async fn nothing_slipped_in(conn: &mut PgConnection) -> Result<std::result::Result<(), Broken>> {
    // After a restore from a dump the sealer's bound can lie ahead of the horizon: then it says nothing.
    let found = sqlx::query_scalar!(
        "select event.id
         from event, event_sealer
         where event.xid < event_sealer.sealed_below
             and event_sealer.sealed_below <= pg_snapshot_xmin(pg_current_snapshot())
             and not exists (select from event_seal where event_seal.event_id = event.id)
         order by event.id
         limit 1"
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map_or(Ok(()), |event_id| Err(Broken::Unsealed { event_id })))
}
