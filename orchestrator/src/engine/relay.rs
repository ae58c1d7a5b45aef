//! Draws from the outbox what people are to be told: an event's command is carried out in the transaction
//! that takes its row away, so that it is carried out once, whatever dies.

use super::Engine;
use crate::notifications::carry_out::carry_out;
use crate::notifications::{Told, command};
use crate::steps::{self, Step};
use crate::store::outbox::{self, Entry};
use crate::store::{self, Result};

/// Entries looked at in one transaction.
const BATCH: i64 = 1000;

impl Engine {
    /// Looks at a batch of the outbox. Answers how many entries; 0 also when another relay is at it.
    pub async fn relay(&self) -> Result<usize> {
        steps::before(Step::Relay).await;
        let mut tx = store::begin_on(&self.pool).await?;
        if !outbox::lock(&mut tx).await? {
            tx.rollback().await?;
            return Ok(0);
        }
        let entries = outbox::oldest(&mut tx, BATCH).await?;
        if entries.is_empty() {
            tx.rollback().await?;
            return Ok(0);
        }
        let channels = store::channels::interests(&mut tx).await?;
        for entry in &entries {
            if let Some(command) = command(told(entry)) {
                carry_out(&mut tx, &command, entry, &channels, &self.settings).await?;
            }
        }
        let ids: Vec<i64> = entries.iter().map(|entry| entry.id).collect();
        outbox::remove(&mut tx, &ids).await?;
        steps::commit(tx, Step::Relay).await?;
        for entry in &entries {
            tracing::debug!(event_id = entry.event_id.0, topic = entry.topic, kind = entry.kind, "outbox");
        }
        Ok(entries.len())
    }
}

fn told(entry: &Entry) -> Told<'_> {
    Told { kind: &entry.kind, subject: &entry.subject, subject_id: &entry.subject_id, body: &entry.body }
}
