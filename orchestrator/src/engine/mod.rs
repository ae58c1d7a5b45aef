//! What moves the loop on. Loops woken by signal and by timer; each step is idempotent, has no input but the
//! database, and may be run by any replica: the row lock decides (`for update skip locked`).
//!
//! ```text
//! start    campaign whose calendar has something to say                -> tick judged, round
//! propose  round asks a learner        draft    waiting batch          -> draft plan, policy's approval
//! plan     approved batch              -> plates, reservations, jobs   (one transaction)
//! draw     settled job                 -> records, plates, models      (its settlement goes in the same transaction)
//! execute  broken chains, lost plates  -> made anew                    assess   -> fates, summary, training
//! jump     nothing runs, nothing waits -> laboratory time to the next due instant
//! ```
//!
//! Killed at any line: a transaction that did not commit left nothing, one that did is not repeated. No
//! transaction is open while a blob is read or written.
//!
//! Deliberately absent: state in memory, leaders, physics, retries of physical steps.

mod advance;
mod assess;
mod commit;
mod consult;
mod draft;
mod draw;
mod execute;
mod hold;
mod inputs;
mod jump;
mod laboratory;
mod plan;
pub(crate) mod plates;
mod propose;
mod relay;
mod run;
mod start;

pub use relay::{LogSink, Sink};
pub use run::run;

use crate::queue::Wakeups;
use crate::store::blobs::Blobs;
use sqlx::PgPool;
use std::sync::Arc;

/// What the loops work with. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub pool: PgPool,
    pub blobs: Blobs,
    pub wakeups: Wakeups,
    /// Where the outbox is delivered to.
    pub sink: Arc<dyn Sink>,
}

impl Engine {
    /// Delivers the outbox to the log.
    pub fn new(pool: PgPool, blobs: Blobs, wakeups: Wakeups) -> Self {
        Self { pool, blobs, wakeups, sink: Arc::new(LogSink) }
    }
}

/// Ends a transaction that did nothing, at once: one that is only dropped is rolled back later, and until
/// then its row locks would make others skip the row.
async fn nothing(tx: sqlx::Transaction<'_, sqlx::Postgres>) -> crate::store::Result<bool> {
    tx.rollback().await?;
    Ok(false)
}

/// What a step did with its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stepped {
    /// Commit.
    Moved,
    /// There was nothing to do.
    Nothing,
    /// Somebody else took what was needed: roll back, look again later.
    Abandoned,
}
