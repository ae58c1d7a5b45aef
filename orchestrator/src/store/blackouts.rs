//! When no round of any campaign may begin, and when an instrument is in maintenance.

use super::events::{self, NewEvent};
use super::{Error, Result};
use crate::calendar::{Window, Zone};
use crate::ids::{ActorId, BlackoutId};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;

/// A blackout of the installation, or of one instrument (maintenance).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Blackout {
    pub id: BlackoutId,
    /// `null`: of the whole installation.
    pub instrument: Option<String>,
    pub from_lab_at: DateTime<Utc>,
    /// Not in it any more.
    pub to_lab_at: DateTime<Utc>,
    /// Whose wall clock it was given by.
    pub zone: String,
    pub reason: String,
}

/// One to be entered.
#[derive(Clone, Debug)]
pub struct NewBlackout {
    pub instrument: Option<String>,
    pub window: Window,
    pub zone: Zone,
}

/// Enters it; what the calendar knew to come is looked at anew.
pub async fn insert(conn: &mut PgConnection, new: &NewBlackout, actor: ActorId) -> Result<Blackout> {
    let blackout = Blackout {
        id: BlackoutId::fresh(),
        instrument: new.instrument.clone(),
        from_lab_at: new.window.from,
        to_lab_at: new.window.to,
        zone: new.zone.to_string(),
        reason: new.window.reason.clone(),
    };
    sqlx::query!(
        "insert into blackout (id, instrument, from_lab_at, to_lab_at, zone, reason, created_by)
         values ($1, $2, $3, $4, $5, $6, $7)",
        blackout.id.0,
        blackout.instrument,
        blackout.from_lab_at,
        blackout.to_lab_at,
        blackout.zone,
        blackout.reason,
        actor.0
    )
    .execute(&mut *conn)
    .await?;
    look_anew(conn).await?;
    record(conn, "BlackoutAdded", blackout.id, actor, json!(blackout)).await?;
    Ok(blackout)
}

/// Takes it off the calendar; the record keeps that it was there.
pub async fn remove(conn: &mut PgConnection, id: BlackoutId, actor: ActorId) -> Result<()> {
    let removed = sqlx::query!(
        "delete from blackout where id = $1 returning instrument, from_lab_at, to_lab_at, reason",
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or_else(|| Error::not_found("blackout", id))?;
    look_anew(conn).await?;
    let body = json!({
        "instrument": removed.instrument, "from_lab_at": removed.from_lab_at,
        "to_lab_at": removed.to_lab_at, "reason": removed.reason,
    });
    record(conn, "BlackoutRemoved", id, actor, body).await
}

/// Those that are not over at `from`, of the installation and of instruments, by their beginning.
pub async fn list(conn: &mut PgConnection, from: DateTime<Utc>) -> Result<Vec<Blackout>> {
    let rows = sqlx::query!(
        "select id, instrument, from_lab_at, to_lab_at, zone, reason
         from blackout
         where to_lab_at > $1
         order by from_lab_at, id",
        from
    )
    .fetch_all(conn)
    .await?;
    let blackouts = rows.into_iter().map(|row| Blackout {
        id: row.id.into(),
        instrument: row.instrument,
        from_lab_at: row.from_lab_at,
        to_lab_at: row.to_lab_at,
        zone: row.zone,
        reason: row.reason,
    });
    Ok(blackouts.collect())
}

/// Those of the installation that a tick since `from` may fall in.
pub async fn everywhere(conn: &mut PgConnection, from: DateTime<Utc>) -> Result<Vec<Window>> {
    let rows = sqlx::query!(
        "select from_lab_at, to_lab_at, reason
         from blackout
         where instrument is null and to_lab_at > $1
         order by from_lab_at",
        from
    )
    .fetch_all(conn)
    .await?;
    let window = |from, to, reason| Window { from, to, reason };
    Ok(rows.into_iter().map(|row| window(row.from_lab_at, row.to_lab_at, row.reason)).collect())
}

async fn look_anew(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("update campaign set calendar_look_lab_at = '-infinity' where state = 'active'")
        .execute(conn)
        .await?;
    Ok(())
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    id: BlackoutId,
    actor: ActorId,
    body: Value,
) -> Result<()> {
    let (subject, subject_id) = ("blackout", id.to_string());
    let event = NewEvent { kind, subject, subject_id, campaign_id: None, actor, body };
    events::append(conn, &event).await.map(drop)
}
