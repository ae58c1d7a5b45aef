//! Laboratory time: the only door to it.
//!
//! In a laboratory it is real time. In the demo and in tests it stands still and moves by jumps, forward
//! only. Leases, tokens and timeouts never look at it.

use super::error::{Error, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Equal to the database's real time.
    Real,
    /// Stands still until somebody jumps.
    Jumping,
}

/// What the laboratory's clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    pub mode: Mode,
    pub lab_at: DateTime<Utc>,
    /// The database's real time at the same moment.
    pub real_at: DateTime<Utc>,
}

/// The instant it is in the laboratory.
pub async fn lab_now(conn: &mut PgConnection) -> Result<DateTime<Utc>> {
    Ok(sqlx::query_scalar!(r#"select lab_now() as "at!""#).fetch_one(conn).await?)
}

/// Mode and both times.
pub async fn read(conn: &mut PgConnection) -> Result<Reading> {
    let row = sqlx::query!(r#"select mode, lab_now() as "lab_at!", now() as "real_at!" from lab_clock"#)
        .fetch_one(conn)
        .await?;
    let mode = match row.mode.as_str() {
        "real" => Mode::Real,
        "jumping" => Mode::Jumping,
        other => return Err(Error::corrupt("clock mode", other)),
    };
    Ok(Reading { mode, lab_at: row.lab_at, real_at: row.real_at })
}

/// Makes laboratory time stand at `lab_at` and move by jumps from there on. Demo and tests only: refused
/// when it jumps already to a later instant.
pub async fn set_jumping(conn: &mut PgConnection, lab_at: DateTime<Utc>) -> Result<()> {
    let changed = sqlx::query!(
        "update lab_clock
         set mode = 'jumping', lab_at = $1
         where mode = 'real' or lab_at <= $1",
        lab_at
    )
    .execute(conn)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(Error::Refused("laboratory time does not go back".to_owned()));
    }
    Ok(())
}

/// Moves a jumping clock forward to `lab_at`; does nothing when it is there or beyond. Refused in a
/// laboratory, where time passes by itself.
pub async fn jump_to(conn: &mut PgConnection, lab_at: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let now = sqlx::query_scalar!(
        r#"update lab_clock
         set lab_at = greatest(lab_at, $1)
         where mode = 'jumping'
         returning lab_at as "lab_at!""#,
        lab_at
    )
    .fetch_optional(conn)
    .await?;
    now.ok_or_else(|| Error::Refused("laboratory time is real time here: it cannot jump".to_owned()))
}
