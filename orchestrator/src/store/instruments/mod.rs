//! The devices that stand in the laboratory, and what they can do.

pub mod work;

use super::error::{Error, Result};
use super::events::{self, NewEvent};
use crate::ids::ActorId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::time::Duration;
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentState {
    /// It is given work.
    InService,
    /// It is given only what belongs to plates that have begun; then it is in maintenance.
    Draining,
    /// It is given none, for now.
    Maintenance,
    /// It is given none, ever.
    Retired,
}

impl InstrumentState {
    pub const ALL: [InstrumentState; 4] = [
        InstrumentState::InService,
        InstrumentState::Draining,
        InstrumentState::Maintenance,
        InstrumentState::Retired,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            InstrumentState::InService => "in_service",
            InstrumentState::Draining => "draining",
            InstrumentState::Maintenance => "maintenance",
            InstrumentState::Retired => "retired",
        }
    }

    pub(in crate::store) fn from_column(word: &str) -> Result<Self> {
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
    /// Why it is in this state, when somebody said.
    pub state_reason: Option<String>,
    /// Name of whoever brought it there.
    pub state_by: Option<String>,
    /// Real time.
    pub state_since: DateTime<Utc>,
    /// When it is expected back in service (laboratory time); nothing happens then by itself.
    pub back_lab_at: Option<DateTime<Utc>>,
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
             state = coalesce($4, instrument.state),
             state_since = case when $4 <> instrument.state then now() else instrument.state_since end,
             state_reason = case when $4 <> instrument.state then null else instrument.state_reason end,
             state_by = case when $4 <> instrument.state then null else instrument.state_by end,
             back_lab_at = case when $4 <> instrument.state then null else instrument.back_lab_at end
         returning (xmax = 0) as "inserted!""#,
        name,
        &registration.capabilities,
        registration.profile,
        registration.state.map(InstrumentState::as_str),
    )
    .fetch_one(conn)
    .await?)
}

struct Row {
    name: String,
    capabilities: Vec<String>,
    profile: Value,
    state: String,
    state_reason: Option<String>,
    state_by: Option<String>,
    state_since: DateTime<Utc>,
    back_lab_at: Option<DateTime<Utc>>,
    last_seen_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Instrument {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            name: row.name,
            capabilities: row.capabilities,
            profile: row.profile,
            state: InstrumentState::from_column(&row.state)?,
            state_reason: row.state_reason,
            state_by: row.state_by,
            state_since: row.state_since,
            back_lab_at: row.back_lab_at,
            last_seen_at: row.last_seen_at,
        })
    }
}

pub async fn get(conn: &mut PgConnection, name: &str) -> Result<Instrument> {
    sqlx::query_as!(
        Row,
        r#"select instrument.name, capabilities, profile, state, state_reason, actor.name as "state_by?", state_since,
             back_lab_at, last_seen_at
         from instrument
         left join actor on actor.id = state_by
         where instrument.name = $1"#,
        name
    )
    .fetch_optional(conn)
    .await?
    .ok_or_else(|| Error::not_found("instrument", name))?
    .try_into()
}

/// Those of these names that there are, by name.
pub async fn by_names(conn: &mut PgConnection, names: &[&str]) -> Result<BTreeMap<String, Instrument>> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select instrument.name as "name!", capabilities as "capabilities!", profile as "profile!", state as "state!",
             state_reason, actor.name as "state_by?", state_since as "state_since!", back_lab_at, last_seen_at
         from instrument
         left join actor on actor.id = state_by
         where instrument.name = any($1)"#,
        &names
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.name.clone(), row.try_into()?))).collect()
}

/// Every instrument, by name.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Instrument>> {
    sqlx::query_as!(
        Row,
        r#"select instrument.name, capabilities, profile, state, state_reason, actor.name as "state_by?", state_since,
             back_lab_at, last_seen_at
         from instrument
         left join actor on actor.id = state_by
         order by instrument.name"#
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Instrument::try_from)
    .collect()
}

/// The state of an instrument, its row locked for this transaction; `None` when there is none of this name.
pub async fn lock(conn: &mut PgConnection, name: &str) -> Result<Option<InstrumentState>> {
    let word = sqlx::query_scalar!("select state from instrument where name = $1 for no key update", name)
        .fetch_optional(conn)
        .await?;
    word.map(|word| InstrumentState::from_column(&word)).transpose()
}

/// A change of state, and what its record is called.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    pub state: InstrumentState,
    /// `None`: as it was, and so is who said it.
    pub reason: Option<&'a str>,
    pub back_lab_at: Option<DateTime<Utc>>,
    pub kind: &'static str,
}

/// Writes a change of state down, with its event, in the caller's transaction. The caller holds the row's lock.
pub async fn apply(conn: &mut PgConnection, name: &str, change: &Change<'_>, actor: ActorId) -> Result<()> {
    let out = matches!(change.state, InstrumentState::Draining | InstrumentState::Maintenance);
    sqlx::query!(
        "update instrument
         set state = $2, state_reason = coalesce($3, state_reason),
             state_by = case when $3::text is null then state_by else $4 end, state_since = now(),
             back_lab_at = case when $5 then coalesce($6, back_lab_at) end
         where name = $1",
        name,
        change.state.as_str(),
        change.reason,
        actor.0,
        out,
        change.back_lab_at
    )
    .execute(&mut *conn)
    .await?;
    let event = NewEvent {
        kind: change.kind,
        subject: "instrument",
        subject_id: name.to_owned(),
        campaign_id: None,
        actor,
        body: json!({"state": change.state, "reason": change.reason, "back_lab_at": change.back_lab_at}),
    };
    events::append(conn, &event).await.map(drop)
}

/// What workers hold beside this instrument.
pub async fn jobs_on(conn: &mut PgConnection, name: &str) -> Result<Vec<uuid::Uuid>> {
    Ok(sqlx::query_scalar!("select job_id from lease where instrument = $1 order by job_id", name)
        .fetch_all(conn)
        .await?)
}

/// Their agents gave signs of life, each so many seconds ago. Nobody waits for the disk: it is for people, and the agents
/// come again. (So it is a transaction of its own, like [`super::jobs::lease`].)
pub async fn seen(conn: &mut PgConnection, signs: &[(&str, f64)]) -> Result<()> {
    sqlx::query!(
        "with at_once as materialized (
             select set_config('synchronous_commit', 'off', true)
         ), sign as materialized (
             select * from unnest($1::text[], $2::float8[]) as sign (name, age_seconds)
         ), locked as materialized (
             select name from instrument where name = any($1) order by name for no key update
         )
         update instrument
         set last_seen_at = greatest(last_seen_at, now() - make_interval(secs => age_seconds))
         from sign, locked, at_once
         where sign.name = instrument.name and locked.name = instrument.name",
        &signs.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<String>>(),
        &signs.iter().map(|(_, age)| *age).collect::<Vec<f64>>()
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
/// too. Each is answered once, to whichever process marked it. Locked in the order of names, as [`seen`] locks.
pub async fn mark_lost(conn: &mut PgConnection, limit: Duration) -> Result<Vec<Lost>> {
    Ok(sqlx::query_as!(
        Lost,
        r#"with locked as materialized (
             select name
             from instrument
             where lost_since is null and state = 'in_service' and last_seen_at < now() - make_interval(secs => $1)
             order by name
             for no key update
         )
         update instrument
         set lost_since = now()
         where name in (select name from locked)
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
        "with locked as materialized (
             select name from instrument where lost_since is not null order by name for no key update
         )
         update instrument
         set lost_since = null
         where name in (select name from locked)
           and (state <> 'in_service'
             or last_seen_at >= now() - make_interval(secs => $1)
             or exists (select from lease where lease.instrument = instrument.name and lease.expires_at > now()))
         returning name",
        limit.as_secs_f64()
    )
    .fetch_all(conn)
    .await?)
}
