//! What people may have to be told. Rows enter in the transaction of the change, and leave in the transaction
//! that drew their consequences for notifications. Most events tell nobody anything, and never enter.

use super::error::Result;
use super::events::{self, EventId, NewEvent};
use crate::ids::{CampaignId, ProjectId};
use serde_json::Value;
use sqlx::PgConnection;

/// An event that waits to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub id: i64,
    pub event_id: EventId,
    pub topic: String,
    pub kind: String,
    pub subject: String,
    pub subject_id: String,
    pub body: Value,
    pub campaign: Option<Campaign>,
}

/// The campaign that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: String,
    pub project_id: ProjectId,
}

/// The kinds of events that notifications are opened or closed by ([`crate::notifications::command`]).
pub const TOLD: [&str; 15] = [
    "AgentBack",
    "AgentLost",
    "BatchApprovalExpired",
    "BatchApprovalExpiring",
    "BatchApproved",
    "BatchProposed",
    "BatchRejected",
    "BatchWithdrawn",
    "CampaignFinished",
    "LaboratoryResumed",
    "LaboratoryStopped",
    "StandstillBegan",
    "StandstillEnded",
    "TaskClosed",
    "TaskOpened",
];

/// Adds to the record, and to what is looked at after the commit where people may have to be told.
pub async fn tell(conn: &mut PgConnection, event: &NewEvent<'_>) -> Result<()> {
    if TOLD.contains(&event.kind) {
        events::append_and_look(conn, event).await?;
    } else {
        events::append(conn, event).await?;
    }
    Ok(())
}

/// Takes the relay's row lock until the transaction ends; `false` when another relay has it.
///
/// One at a time: rows of one subject are in the order of its changes, since each change waits for the row
/// that the one before has changed; two relays could read a closing before the opening that is still
/// uncommitted in the other one's hands.
pub async fn lock(conn: &mut PgConnection) -> Result<bool> {
    let locked = sqlx::query_scalar!("select singleton from outbox_relay for update skip locked")
        .fetch_optional(conn)
        .await?;
    Ok(locked.is_some())
}

/// The oldest `limit` entries. The caller holds the relay's lock.
pub async fn oldest(conn: &mut PgConnection, limit: i64) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        r#"select outbox.id, outbox.event_id, outbox.topic, event.kind, event.subject, event.subject_id,
             event.body, campaign.id as "campaign_id?", campaign.name as "campaign_name?",
             campaign.project_id as "project_id?"
         from outbox
         join event on event.id = outbox.event_id
         left join campaign on campaign.id = event.campaign_id
         order by outbox.id
         limit $1"#,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Entry {
            id: row.id,
            event_id: EventId(row.event_id),
            topic: row.topic,
            kind: row.kind,
            subject: row.subject,
            subject_id: row.subject_id,
            body: row.body,
            campaign: match (row.campaign_id, row.campaign_name, row.project_id) {
                (Some(id), Some(name), Some(project)) => {
                    Some(Campaign { id: id.into(), name, project_id: project.into() })
                }
                _ => None,
            },
        })
        .collect())
}

/// Their consequences are drawn in this transaction.
pub async fn remove(conn: &mut PgConnection, ids: &[i64]) -> Result<()> {
    sqlx::query!("delete from outbox where id = any($1)", ids).execute(conn).await?;
    Ok(())
}
