//! What the gates of several batches look at, read for all of them at once.

use super::gate::Gate;
use crate::campaigns::policy::Policy;
use crate::ids::{BatchId, CampaignId};
use crate::store::approvals::{self, Approval, Editor};
use crate::store::batches::Batch;
use crate::store::rounds::Round;
use crate::store::{self, Error, Result};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Of a list of batches, to show them.
#[derive(Clone, Debug)]
pub struct Gates {
    policies: BTreeMap<(CampaignId, u32), Policy>,
    verdicts: BTreeMap<BatchId, Vec<Approval>>,
    editors: BTreeMap<BatchId, Vec<Editor>>,
    lab_now: DateTime<Utc>,
}

impl Gates {
    /// `rounds`: those of `batches`.
    pub async fn read<'a>(
        conn: &mut PgConnection,
        rounds: impl Iterator<Item = &'a Round>,
        batches: &[BatchId],
    ) -> Result<Self> {
        let editions = rounds.map(|round| (round.campaign_id, round.campaign_version)).collect();
        Ok(Self {
            policies: store::campaigns::policies(conn, &editions).await?,
            verdicts: approvals::verdicts_on(conn, batches).await?,
            editors: approvals::editors_of(conn, batches).await?,
            lab_now: store::clock::lab_now(conn).await?,
        })
    }

    /// Every verdict on the batch, first to last.
    pub fn verdicts(&self, batch: BatchId) -> &[Approval] {
        self.verdicts.get(&batch).map_or(&[], Vec::as_slice)
    }

    /// The gate before one of them.
    pub fn before(&self, round: &Round, batch: &Batch) -> Result<Gate> {
        let policy = self
            .policies
            .get(&(round.campaign_id, round.campaign_version))
            .ok_or_else(|| Error::corrupt("campaign version of a round", round.id))?;
        let editors = self.editors.get(&batch.id).cloned().unwrap_or_default();
        Ok(Gate::of(policy.clone(), batch, self.verdicts(batch.id), editors, self.lab_now))
    }
}
