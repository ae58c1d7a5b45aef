//! The devices that stand in the laboratory, and what they can do.

use super::error::{Error, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use std::time::Duration;
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentState {
    /// It is given work.
    InService,
    /// It is given none, for now.
    Maintenance,
    /// It is given none, ever.
    Retired,
}

impl InstrumentState {
    pub const ALL: [InstrumentState; 3] =
        [InstrumentState::InService, InstrumentState::Maintenance, InstrumentState::Retired];

    pub fn as_str(self) -> &'static str {
        match self {
            InstrumentState::InService => "in_service",
            InstrumentState::Maintenance => "maintenance",
            InstrumentState::Retired => "retired",
        }
    }

    fn from_column(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| Error::corrupt("instrument state", word))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Instrument {
    pub name: String,
    /// What it can do: `dispense.liquid`, `read.plate`.
    pub capabilities: Vec<String>,
    /// Capacities that planning respects: deck slots, tips a run, incubator slots.
    pub profile: Value,
    pub state: InstrumentState,
    /// When its agent last asked for work (real time).
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// What a person or an agent says of an instrument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub capabilities: Vec<String>,
    #[serde(default = "empty_profile")]
    pub profile: Value,
    /// `in_service` when absent for a new instrument; unchanged when absent for a known one.
    #[serde(default)]
    pub state: Option<InstrumentState>,
}

fn empty_profile() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Enters an instrument or changes what is known of it. Answers whether it is new.
pub async fn register(conn: &mut PgConnection, name: &str, registration: &Registration) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"insert into instrument (name, capabilities, profile, state)
         values ($1, $2, $3, coalesce($4, 'in_service'))
         on conflict (name) do update
         set capabilities = excluded.capabilities,
             profile = excluded.profile,
             state = coalesce($4, instrument.state)
         returning (xmax = 0) as "inserted!""#,
        name,
        &registration.capabilities,
        registration.profile,
        registration.state.map(InstrumentState::as_str),
    )
    .fetch_one(conn)
    .await?)
}

pub async fn get(conn: &mut PgConnection, name: &str) -> Result<Instrument> {
    let row = sqlx::query!(
        "select name, capabilities, profile, state, last_seen_at from instrument where name = $1",
        name
    )
    .fetch_optional(conn)
    .await?
    .ok_or_else(|| Error::not_found("instrument", name))?;
    Ok(Instrument {
        name: row.name,
        capabilities: row.capabilities,
        profile: row.profile,
        state: InstrumentState::from_column(&row.state)?,
        last_seen_at: row.last_seen_at,
    })
}

/// Every instrument, by name.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Instrument>> {
    let rows =
        sqlx::query!("select name, capabilities, profile, state, last_seen_at from instrument order by name")
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Instrument {
                name: row.name,
                capabilities: row.capabilities,
                profile: row.profile,
                state: InstrumentState::from_column(&row.state)?,
                last_seen_at: row.last_seen_at,
            })
        })
        .collect()
}

/// Its agent asked for work. Written at most every ten seconds: it is for people.
pub async fn seen(conn: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!(
        "update instrument
         set last_seen_at = now()
         where name = $1 and (last_seen_at is null or last_seen_at < now() - interval '10 seconds')",
        name
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An instrument in service whose agent was seen and is silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub name: String,
    pub last_seen_at: DateTime<Utc>,
}

/// Marks those whose agent is silent for `limit` (real time) and holds no lease: a heartbeat is a sign of life
/// too. Each is answered once, to whichever process marked it.
pub async fn mark_lost(conn: &mut PgConnection, limit: Duration) -> Result<Vec<Lost>> {
    Ok(sqlx::query_as!(
        Lost,
        r#"update instrument
         set lost_since = now()
         where lost_since is null
           and state = 'in_service'
           and last_seen_at < now() - make_interval(secs => $1)
           and not exists (select from lease where lease.instrument = instrument.name and lease.expires_at > now())
         returning name, last_seen_at as "last_seen_at!""#,
        limit.as_secs_f64()
    )
    .fetch_all(conn)
    .await?)
}

/// Takes the mark from those that were heard of again, or that are not in service any more.
pub async fn mark_back(conn: &mut PgConnection, limit: Duration) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "update instrument
         set lost_since = null
         where lost_since is not null
           and (state <> 'in_service'
             or last_seen_at >= now() - make_interval(secs => $1)
             or exists (select from lease where lease.instrument = instrument.name and lease.expires_at > now()))
         returning name",
        limit.as_secs_f64()
    )
    .fetch_all(conn)
    .await?)
}
