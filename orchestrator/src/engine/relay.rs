//! Delivers the outbox. The first edition tells the log; webhooks are another [`Sink`].

use super::Engine;
use crate::store::Result;
use crate::store::outbox::{self, Entry};
use async_trait::async_trait;

/// Entries delivered in one transaction.
const BATCH: i64 = 200;

/// Somewhere outside that is told of changes: at least once, in no order.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Answers whether it took the entry; what it did not take is offered again.
    async fn deliver(&self, entry: &Entry) -> bool;
}

/// Tells the structured log.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSink;

#[async_trait]
impl Sink for LogSink {
    async fn deliver(&self, entry: &Entry) -> bool {
        tracing::debug!(
            event_id = entry.event_id.0,
            topic = entry.topic,
            attempts = entry.attempts,
            "outbox"
        );
        true
    }
}

/// Delivers a batch. Answers how many were taken.
///
/// Taking commits first (it counts the attempt), so that no transaction is open while the sink is told: an
/// entry may be told twice when another replica takes it meanwhile.
pub(super) async fn relay(engine: &Engine) -> Result<usize> {
    let mut tx = engine.pool.begin().await?;
    let entries = outbox::take(&mut tx, BATCH).await?;
    tx.commit().await?;
    let mut delivered = Vec::with_capacity(entries.len());
    for entry in &entries {
        if engine.sink.deliver(entry).await {
            delivered.push(entry.id);
        }
    }
    let mut conn = engine.pool.acquire().await?;
    outbox::delivered(&mut conn, &delivered).await?;
    Ok(delivered.len())
}
