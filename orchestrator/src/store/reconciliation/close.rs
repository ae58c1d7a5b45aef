//! Robots are given work again.

use super::open::TASK;
use super::read;
use crate::ids::{ActorId, SYSTEM};
use crate::store;
use crate::store::error::Result;
use crate::store::events::{self, NewEvent};
use crate::store::tasks;
use serde_json::json;
use sqlx::PgConnection;

/// What became of a person's wish to close it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    Done,
    AlreadyDone,
    /// These instruments have neither been heard of nor excused.
    WaitsFor(Vec<String>),
}

/// A person has looked, and robots may work again; in the caller's transaction.
pub async fn close(conn: &mut PgConnection, actor: ActorId, reason: &str) -> Result<Closed> {
    let standing = read::standing(conn).await?;
    if !standing.is_open() {
        return Ok(Closed::AlreadyDone);
    }
    let waits_for = standing.waits_for();
    if !waits_for.is_empty() {
        return Ok(Closed::WaitsFor(waits_for.into_iter().map(str::to_owned).collect()));
    }
    let closed = sqlx::query!(
        "update reconciliation
         set closed_at = now(), closed_by = $2, closed_reason = $3
         where epoch = $1 and closed_at is null",
        standing.epoch,
        actor.0,
        reason
    )
    .execute(&mut *conn)
    .await?;
    if closed.rows_affected() == 0 {
        return Ok(Closed::AlreadyDone);
    }
    record(conn, &standing.epoch, actor, reason).await?;
    Ok(Closed::Done)
}

/// After a failover in which nothing was lost, once every instrument has answered; in a transaction of its own.
/// Answers whether it closed. People keep no spool that would tell what they did: where a step waits for hands, or is to,
/// a person closes.
pub async fn close_if_nothing_was_lost(conn: &mut PgConnection) -> Result<bool> {
    let reason = "every instrument has told what it did, and nothing was lost";
    let mut tx = store::begin(conn).await?;
    let epoch = sqlx::query_scalar!(
        "update reconciliation
         set closed_at = now(), closed_by = $1, closed_reason = $2
         where epoch = database_epoch()
             and closed_at is null
             and opened_because = 'failed_over'
             and unknown_reports = 0
             and orphan_reports = 0
             and not exists (
                 select from reconciliation_party
                 where reconciliation_party.epoch = reconciliation.epoch and state = 'awaited')
             and not exists (select from job_ready where queue = 'people')
             and not exists (
                 select from job_waiting join job on job.id = job_waiting.job_id where job.queue = 'people')
         returning epoch",
        SYSTEM.0,
        reason
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(epoch) = epoch else { return Ok(false) };
    record(&mut tx, &epoch, SYSTEM, reason).await?;
    tx.commit().await?;
    tracing::info!(epoch, "reconciled: robots are given work again");
    Ok(true)
}

async fn record(conn: &mut PgConnection, epoch: &str, actor: ActorId, reason: &str) -> Result<()> {
    tasks::close_for(conn, TASK, epoch, actor).await?;
    let event = NewEvent {
        kind: "ReconciliationClosed",
        subject: "reconciliation",
        subject_id: epoch.to_owned(),
        campaign_id: None,
        actor,
        body: json!({"reason": reason}),
    };
    events::append(conn, &event).await.map(drop)
}
