//! What time does to what people are told: agents fall silent, notifications escalate, old deliveries are forgotten
//! (real time); the time of a waiting batch runs out (laboratory time). And places that nobody clears. Every process minds; row locks decide who does what.

use super::{Engine, nothing, plates};
use crate::ids::SYSTEM;
use crate::notifications::escalate::escalate;
use crate::steps::{self, Step};
use crate::store::events::NewEvent;
use crate::store::jobs::Consequences;
use crate::store::{self, Result};
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;

/// Deliveries that ended are kept for so long.
const KEEP_TOLD: Duration = Duration::from_secs(14 * 24 * 3600);
const KEEP_DEAD: Duration = Duration::from_secs(90 * 24 * 3600);
const PRUNED: i64 = 1_000;
/// Places that are looked after in one pass.
const STRAYS: i64 = 50;

impl Engine {
    /// Escalates what nobody acknowledged in time. Answers how many.
    pub async fn escalate(&self) -> Result<usize> {
        steps::before(Step::Escalate).await;
        let mut tx = store::begin_on(&self.pool).await?;
        let escalated = escalate(&mut tx, &self.settings).await?;
        steps::commit(tx, Step::Escalate).await?;
        Ok(escalated)
    }

    /// Notices agents that fell silent, and those that are back.
    pub async fn watch_agents(&self) -> Result<()> {
        steps::before(Step::WatchAgents).await;
        let limit = self.settings.agent_lost_after;
        let mut tx = store::begin_on(&self.pool).await?;
        for name in store::instruments::mark_back(&mut tx, limit).await? {
            record(&mut tx, "AgentBack", name, json!({})).await?;
        }
        for lost in store::instruments::mark_lost(&mut tx, limit).await? {
            let body = json!({"last_seen_at": lost.last_seen_at});
            record(&mut tx, "AgentLost", lost.name, body).await?;
        }
        steps::commit(tx, Step::WatchAgents).await?;
        Ok(())
    }

    /// Asks for a person when agents do not come back after a failover: robots stand still until then.
    pub async fn mind_reconciliation(&self) -> Result<()> {
        steps::before(Step::MindReconciliation).await;
        let mut tx = store::begin_on(&self.pool).await?;
        if store::reconciliation::is_overdue(&mut tx, self.settings.agent_lost_after).await? {
            store::reconciliation::ask_for_a_person(&mut tx).await?;
        }
        steps::commit(tx, Step::MindReconciliation).await?;
        Ok(())
    }

    /// Has places cleared that stay occupied after the end of their plate, although nothing of it is open: a mover could not
    /// clear them, and no round waits for a person there. Answers how many.
    pub async fn clear_strays(&self) -> Result<usize> {
        let mut conn = self.pool.acquire().await?;
        if !store::reconciliation::gate(&mut conn).await?.is_open {
            // Where plates stand is what agents are asked about.
            return Ok(0);
        }
        let strays = store::chains::strays(&mut conn, STRAYS).await?;
        drop(conn);
        let mut cleared = 0;
        for stray in strays {
            steps::before(Step::ClearStray).await;
            let mut tx = store::begin_on(&self.pool).await?;
            let mut out = Consequences::default();
            if plates::clear_stray(&mut tx, &stray, &mut out).await? {
                steps::commit(tx, Step::ClearStray).await?;
                self.wakeups.after(&out);
                cleared += 1;
            } else {
                nothing(tx).await?;
            }
        }
        Ok(cleared)
    }

    /// Warns once, before the time of a waiting batch is over (laboratory time).
    pub async fn warn_of_expiry(&self) -> Result<usize> {
        steps::before(Step::WarnOfExpiry).await;
        let mut tx = store::begin_on(&self.pool).await?;
        let expiring = store::batches::warn_of_expiry(&mut tx).await?;
        for batch in &expiring {
            let event = NewEvent {
                kind: "BatchApprovalExpiring",
                subject: "batch",
                subject_id: batch.id.to_string(),
                campaign_id: Some(batch.campaign_id),
                actor: SYSTEM,
                body: json!({"expires_lab_at": batch.expires_lab_at}),
            };
            store::outbox::tell(&mut tx, &event).await?;
        }
        steps::commit(tx, Step::WarnOfExpiry).await?;
        Ok(expiring.len())
    }

    /// Forgets deliveries that ended long ago.
    pub async fn forget_deliveries(&self) -> Result<()> {
        let mut conn = self.pool.acquire().await?;
        store::deliveries::prune(&mut conn, KEEP_TOLD, KEEP_DEAD, PRUNED).await.map(drop)
    }
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    instrument: String,
    body: serde_json::Value,
) -> Result<()> {
    let event = NewEvent {
        kind,
        subject: "instrument",
        subject_id: instrument,
        campaign_id: None,
        actor: SYSTEM,
        body,
    };
    store::outbox::tell(conn, &event).await
}
