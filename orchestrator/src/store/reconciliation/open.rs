//! Another life of the database was noticed: its reconciliation is opened, once.

use super::read;
use crate::ids::SYSTEM;
use crate::store;
use crate::store::error::{Error, Result};
use crate::store::events::{self, NewEvent};
use crate::store::jobs::{self, Consequences};
use crate::store::tasks::{self, NewTask};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use utoipa::ToSchema;

/// Cause of the task that is open while a person is needed.
pub const TASK: &str = "reconciliation.open";

/// Why a reconciliation was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReconciliationBecause)]
pub enum Because {
    /// The first life: there is nothing to reconcile.
    Created,
    /// A standby took over.
    FailedOver,
    /// The data came from elsewhere: what happened since is not in it.
    Restored,
}

impl Because {
    pub(super) fn from_column(word: &str) -> Result<Self> {
        match word {
            "created" => Ok(Because::Created),
            "failed_over" => Ok(Because::FailedOver),
            "restored" => Ok(Because::Restored),
            other => Err(Error::corrupt("reconciliation.opened_because", other)),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Because::Created => "is new",
            Because::FailedOver => "failed over to a standby",
            Because::Restored => "was restored",
        }
    }
}

/// Opens the reconciliation of the life that answers, if nobody has; in a transaction of its own. Answers what it
/// did, for the wake-ups; `None` when there was nothing to open.
pub async fn observe(conn: &mut PgConnection) -> Result<Option<Consequences>> {
    if read::is_known(conn).await? {
        return Ok(None);
    }
    let mut tx = store::begin(conn).await?;
    // One process at a time; the others find it opened.
    sqlx::query!("lock table reconciliation in share row exclusive mode").execute(&mut *tx).await?;
    if read::is_known(&mut tx).await? {
        return Ok(None);
    }
    let because = open(&mut tx).await?;
    let consequences = match because {
        Because::Restored => jobs::end_leases_of_another_life(&mut tx).await?,
        Because::FailedOver | Because::Created => Consequences::default(),
    };
    record(&mut tx, because).await?;
    tx.commit().await?;
    tracing::warn!(?because, "another life of the database: no work of the bench until it is reconciled");
    Ok(Some(consequences))
}

/// The row, with those that are awaited. A reconciliation that was still open goes on in the new one: what it had
/// found lost stays lost, and a restored database stays one.
async fn open(conn: &mut PgConnection) -> Result<Because> {
    let before = sqlx::query!(
        "update reconciliation
         set closed_at = now(), closed_by = $1, closed_reason = 'yet another life began; it goes on there'
         where closed_at is null
         returning opened_because, unknown_reports, orphan_reports",
        SYSTEM.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let was_restored = before.as_ref().is_some_and(|before| before.opened_because == "restored");
    let row = sqlx::query!(
        r#"insert into reconciliation (epoch, opened_because, unknown_reports, orphan_reports)
         select database_epoch(),
             case
                 when $1 then 'restored'
                 when exists (
                     select from reconciliation as earlier
                     where regexp_replace(earlier.epoch, '-\d+-', '-') = regexp_replace(database_epoch(), '-\d+-', '-')
                 ) then 'failed_over'
                 else 'restored'
             end,
             $2,
             $3
         returning epoch, opened_because"#,
        was_restored,
        before.as_ref().map_or(0, |before| before.unknown_reports),
        before.as_ref().map_or(0, |before| before.orphan_reports)
    )
    .fetch_one(&mut *conn)
    .await?;
    let because = Because::from_column(&row.opened_because)?;
    // A backup does not know who worked after it: also whoever was silent for days, or was never seen. A standby knows
    // who was seen lately, and those are whom a failover cut off.
    sqlx::query!(
        "insert into reconciliation_party (epoch, instrument, state)
         select $1, name, 'awaited'
         from instrument
         where state <> 'retired'
             and case
                 when $2 then not coalesce(profile -> 'by_hand' = 'true', false)
                 else last_seen_at > (select max(last_seen_at) from instrument) - interval '24 hours'
             end",
        row.epoch,
        because == Because::Restored
    )
    .execute(conn)
    .await?;
    Ok(because)
}

async fn record(conn: &mut PgConnection, because: Because) -> Result<()> {
    let standing = read::standing(conn).await?;
    let event = NewEvent {
        kind: "ReconciliationOpened",
        subject: "reconciliation",
        subject_id: standing.epoch.clone(),
        campaign_id: None,
        actor: SYSTEM,
        body: json!({"because": because, "waits_for": standing.waits_for()}),
    };
    events::append(conn, &event).await?;
    if because == Because::Restored {
        ask_for_a_person(conn).await?;
    }
    Ok(())
}

/// Opens the task, or brings its words up to date.
pub async fn ask_for_a_person(conn: &mut PgConnection) -> Result<()> {
    let standing = read::standing(conn).await?;
    if !standing.is_open() {
        return Ok(());
    }
    let waits_for = standing.waits_for();
    let waits = if waits_for.is_empty() {
        "Every agent has told what it did.".to_owned()
    } else {
        format!(
            "Not heard of yet: {}. Start their agents, or say that nobody waits for one: \
             loopwright reconciliation excuse INSTRUMENT --reason ..",
            waits_for.join(", ")
        )
    };
    let message = format!(
        "The database {}, and no robot is given work until what they did is reconciled. {waits} Then look at the \
         jobs in doubt and the tasks, ask who had a step in hand, and close it: loopwright reconciliation close --reason ..",
        standing.opened_because.words()
    );
    let task = NewTask {
        cause: TASK,
        message,
        subject: "reconciliation",
        subject_id: standing.epoch,
        campaign_id: None,
    };
    tasks::open(conn, &task).await.map(drop)
}
