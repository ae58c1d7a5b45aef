//! Where the reconciliation of this life stands.

use super::open::Because;
use crate::store::error::{Error, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::time::Duration;
use utoipa::ToSchema;

/// The reconciliation of the life that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Reconciliation)]
pub struct Standing {
    /// Which life of the database this is.
    pub epoch: String,
    pub opened_because: Because,
    pub opened_at: DateTime<Utc>,
    /// Absent while no robot is given work.
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<String>,
    pub closed_reason: Option<String>,
    /// Reports under leases that this database never gave: something was lost.
    pub unknown_reports: i64,
    /// Reports of jobs that this database does not know.
    pub orphan_reports: i64,
    /// Jobs in doubt that only a person settles, because a lost life had them done.
    pub jobs_in_doubt: i64,
    pub instruments: Vec<Party>,
}

/// An instrument whose agent has to say what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReconciliationParty)]
pub struct Party {
    pub instrument: String,
    pub state: PartyState,
    pub since: DateTime<Utc>,
    /// Results that its agent had kept and offered.
    pub offered: Option<i32>,
    /// The agent, or the person who excused it.
    pub by: Option<String>,
    pub excused_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReconciliationPartyState)]
pub enum PartyState {
    /// Its agent was not heard of in this life.
    Awaited,
    /// Its agent has offered everything it has.
    Reconciled,
    /// A person said that nobody waits for it.
    Excused,
}

impl PartyState {
    fn from_column(word: &str) -> Result<Self> {
        match word {
            "awaited" => Ok(PartyState::Awaited),
            "reconciled" => Ok(PartyState::Reconciled),
            "excused" => Ok(PartyState::Excused),
            other => Err(Error::corrupt("reconciliation_party.state", other)),
        }
    }
}

impl Standing {
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// Instruments whose agents have not been heard of.
    pub fn waits_for(&self) -> Vec<&str> {
        let awaited = self.instruments.iter().filter(|party| party.state == PartyState::Awaited);
        awaited.map(|party| party.instrument.as_str()).collect()
    }
}

/// Whether somebody has opened the reconciliation of the life that answers.
pub(super) async fn is_known(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from reconciliation where epoch = database_epoch()) as "known!""#
    )
    .fetch_one(conn)
    .await?)
}

/// Whether it is open for longer than `limit` (real time).
pub async fn is_overdue(conn: &mut PgConnection, limit: Duration) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from reconciliation
             where closed_at is null and opened_at < now() - make_interval(secs => $1)
         ) as "overdue!""#,
        limit.as_secs_f64()
    )
    .fetch_one(conn)
    .await?)
}

/// What a request for work needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    pub epoch: String,
    pub is_open: bool,
    pub waits_for: Vec<String>,
}

/// Whether work of the bench is given out in the life that answers.
pub async fn gate(conn: &mut PgConnection) -> Result<Gate> {
    let row = sqlx::query!(
        r#"select database_epoch() as "epoch!",
             exists (
                 select from reconciliation where epoch = database_epoch() and closed_at is not null
             ) as "is_open!",
             (
                 select coalesce(array_agg(instrument order by instrument), '{}')
                 from reconciliation_party
                 where epoch = database_epoch() and state = 'awaited'
             ) as "waits_for!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(Gate { epoch: row.epoch, is_open: row.is_open, waits_for: row.waits_for })
}

/// The whole of it. Opened by [`super::observe`] before.
pub async fn standing(conn: &mut PgConnection) -> Result<Standing> {
    let row = sqlx::query!(
        r#"select epoch, opened_because, opened_at, closed_at, actor.name as "closed_by?", closed_reason,
             unknown_reports, orphan_reports,
             (select count(*) from job_in_doubt where awaits_person) as "jobs_in_doubt!"
         from reconciliation
         left join actor on actor.id = closed_by
         where epoch = database_epoch()"#
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or_else(|| Error::not_found("reconciliation", "of this life"))?;
    Ok(Standing {
        instruments: parties(conn, &row.epoch).await?,
        epoch: row.epoch,
        opened_because: Because::from_column(&row.opened_because)?,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        closed_by: row.closed_by,
        closed_reason: row.closed_reason,
        unknown_reports: row.unknown_reports,
        orphan_reports: row.orphan_reports,
        jobs_in_doubt: row.jobs_in_doubt,
    })
}

async fn parties(conn: &mut PgConnection, epoch: &str) -> Result<Vec<Party>> {
    let rows = sqlx::query!(
        r#"select instrument, state, since, offered, actor.name as "by?", excused_reason
         from reconciliation_party
         left join actor on actor.id = actor_id
         where epoch = $1
         order by instrument"#,
        epoch
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Party {
                instrument: row.instrument,
                state: PartyState::from_column(&row.state)?,
                since: row.since,
                offered: row.offered,
                by: row.by,
                excused_reason: row.excused_reason,
            })
        })
        .collect()
}
