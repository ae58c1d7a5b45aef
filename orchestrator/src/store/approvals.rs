//! What people say on a revision, who edited the batch, and which roles they have. Added to, never changed.

use super::Result;
use super::batches::Batch;
use super::moved::{self, Record, corrupt, count};
use crate::ids::{ActorId, BatchId, CampaignId};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Approve,
    Reject,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Verdict::Approve => "approve",
            Verdict::Reject => "reject",
        }
    }
}

/// A person's (or the policy's) word on one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub actor_id: ActorId,
    pub actor_name: String,
    pub verdict: String,
    pub revision: u32,
    /// Theirs in the campaign's project when they spoke.
    pub roles: Vec<String>,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
}

impl Approval {
    /// A yes to `revision`.
    pub fn approves(&self, revision: u32) -> bool {
        self.revision == revision && self.verdict == Verdict::Approve.as_str()
    }
}

/// Keeps a verdict; `false` when this actor has spoken on this revision already.
pub async fn add_verdict(
    conn: &mut PgConnection,
    batch: &Batch,
    verdict: Verdict,
    roles: &[String],
    reason: Option<&str>,
    actor: ActorId,
) -> Result<bool> {
    let added = sqlx::query!(
        "insert into approval (id, batch_id, actor_id, verdict, revision, roles, reason)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (batch_id, actor_id, revision) do nothing",
        Uuid::now_v7(),
        batch.id.0,
        actor.0,
        verdict.as_str(),
        i32::try_from(batch.revision).map_err(corrupt)?,
        roles,
        reason
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if added == 0 {
        return Ok(false);
    }
    let kind = match verdict {
        Verdict::Approve => "BatchApprovalGiven",
        Verdict::Reject => "BatchApprovalRefused",
    };
    let body = json!({"revision": batch.revision, "roles": roles, "reason": reason});
    let subject_id = batch.id.to_string();
    let campaign = batch.campaign_id;
    moved::record(conn, Record { kind, subject: "batch", subject_id, campaign, actor, body: &body }).await?;
    Ok(true)
}

/// Every verdict on the batch, first to last.
pub async fn verdicts(conn: &mut PgConnection, batch: BatchId) -> Result<Vec<Approval>> {
    Ok(verdicts_on(conn, &[batch]).await?.remove(&batch).unwrap_or_default())
}

/// The verdicts on each of these batches that has any, first to last.
pub async fn verdicts_on(
    conn: &mut PgConnection,
    batches: &[BatchId],
) -> Result<BTreeMap<BatchId, Vec<Approval>>> {
    let rows = sqlx::query!(
        "select batch_id, actor_id, actor.name, verdict, revision, roles, reason, at
         from approval
         join actor on actor.id = approval.actor_id
         where batch_id = any($1)
         order by at, approval.id",
        &uuids(batches)
    )
    .fetch_all(conn)
    .await?;
    let mut verdicts: BTreeMap<BatchId, Vec<Approval>> = BTreeMap::new();
    for row in rows {
        verdicts.entry(row.batch_id.into()).or_default().push(Approval {
            actor_id: row.actor_id.into(),
            actor_name: row.name,
            verdict: row.verdict,
            revision: count(row.revision.into())?,
            roles: row.roles,
            reason: row.reason,
            at: row.at,
        });
    }
    Ok(verdicts)
}

fn uuids(batches: &[BatchId]) -> Vec<Uuid> {
    batches.iter().map(|batch| batch.0).collect()
}

/// Keeps who made the revision that `batch` has now.
pub(super) async fn add_edit(conn: &mut PgConnection, batch: &Batch, actor: ActorId) -> Result<()> {
    sqlx::query!(
        "insert into batch_edit (batch_id, revision, actor_id) values ($1, $2, $3)",
        batch.id.0,
        i32::try_from(batch.revision).map_err(corrupt)?,
        actor.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Somebody who added to the batch or removed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editor {
    pub actor_id: ActorId,
    pub name: String,
}

/// Everybody who edited the batch, by name.
pub async fn editors(conn: &mut PgConnection, batch: BatchId) -> Result<Vec<Editor>> {
    Ok(editors_of(conn, &[batch]).await?.remove(&batch).unwrap_or_default())
}

/// The editors of each of these batches that has any, by name.
pub async fn editors_of(
    conn: &mut PgConnection,
    batches: &[BatchId],
) -> Result<BTreeMap<BatchId, Vec<Editor>>> {
    let rows = sqlx::query!(
        "select distinct batch_id, actor.id, actor.name
         from batch_edit
         join actor on actor.id = batch_edit.actor_id
         where batch_id = any($1)
         order by actor.name",
        &uuids(batches)
    )
    .fetch_all(conn)
    .await?;
    let mut editors: BTreeMap<BatchId, Vec<Editor>> = BTreeMap::new();
    for row in rows {
        let editor = Editor { actor_id: row.id.into(), name: row.name };
        editors.entry(row.batch_id.into()).or_default().push(editor);
    }
    Ok(editors)
}

/// The roles that somebody has in the campaign's project: granted there or everywhere. None for an actor without
/// an account.
pub async fn roles_of(conn: &mut PgConnection, actor: ActorId, campaign: CampaignId) -> Result<Vec<String>> {
    Ok(roles_in(conn, actor, &[campaign]).await?.remove(&campaign).unwrap_or_default())
}

/// As [`roles_of`], for each of these campaigns in whose project they have any.
pub async fn roles_in(
    conn: &mut PgConnection,
    actor: ActorId,
    campaigns: &[CampaignId],
) -> Result<BTreeMap<CampaignId, Vec<String>>> {
    let campaigns: Vec<Uuid> = campaigns.iter().map(|campaign| campaign.0).collect();
    let rows = sqlx::query!(
        "select distinct campaign.id, role
         from role_grant
         join account on account.actor_id = role_grant.actor_id
         join campaign on campaign.id = any($2)
         where role_grant.actor_id = $1
           and account.state = 'active'
           and (role_grant.project_id is null or role_grant.project_id = campaign.project_id)
         order by role",
        actor.0,
        &campaigns
    )
    .fetch_all(conn)
    .await?;
    let mut roles: BTreeMap<CampaignId, Vec<String>> = BTreeMap::new();
    for row in rows {
        roles.entry(row.id.into()).or_default().push(row.role);
    }
    Ok(roles)
}
