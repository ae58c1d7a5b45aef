//! What moves the loop on. Loops woken by signal and by timer; each step is idempotent, has no input but the
//! database, and may be run by any replica: the row lock decides (`for update skip locked`).
//!
//! ```text
//! start    campaign whose calendar has something to say                -> tick judged, round
//! propose  round asks a learner        draft    waiting batch          -> draft plan, policy's approval, end of its time
//! plan     approved batch              -> plates, reservations, jobs   (one transaction)
//! draw     settled job                 -> records, plates, models      (its settlement goes in the same transaction)
//! execute  broken chains, lost plates  -> made anew                    assess   -> fates, summary, training
//! drain    what drains                 -> stands, when nothing of it is on its way
//! relay    outbox                      -> notifications, deliveries   deliver  what is due   -> channels
//! mind     silent agents, escalations, standstills -> notifications, deliveries; places left occupied -> cleared
//! jump     nothing runs, nothing waits -> laboratory time to the next due instant
//! ```
//!
//! Killed at any line: a transaction that did not commit left nothing, one that did is not repeated. No
//! transaction is open while a blob is read or written.
//!
//! Deliberately absent: state in memory (editions of campaigns aside, which never change), leaders, physics, retries of
//! physical steps.

mod advance;
mod assess;
mod commit;
mod consult;
mod deliver;
mod draft;
mod drain;
mod draw;
mod execute;
mod hold;
mod inputs;
mod jump;
mod laboratory;
mod mind;
mod plan;
pub(crate) mod plates;
pub(crate) mod preview;
mod propose;
mod relay;
mod run;
pub(crate) mod standstills;
mod start;

pub use run::run;
pub use standstills::Looks;

use crate::channels::{Key, Rules, Sender};
use crate::notifications::Settings;
use crate::queue::Wakeups;
use crate::store::blobs::Blobs;
use sqlx::PgPool;
use std::sync::Arc;

/// What the loops work with. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    /// For what moves campaigns on.
    pub pool: PgPool,
    /// For what goes through lists: what is to be told, what stands still.
    pub lists: PgPool,
    pub blobs: Blobs,
    pub wakeups: Wakeups,
    /// How patient notifications are.
    pub settings: Settings,
    /// How they go out.
    pub sender: Arc<Sender>,
}

impl Engine {
    /// With the usual patience, strict rules for webhooks, no mail server, and a channel key of its own.
    ///
    /// # Panics
    ///
    /// When the system's TLS cannot be set up.
    pub fn new(pool: PgPool, blobs: Blobs, wakeups: Wakeups) -> Self {
        let sender = Sender::new(Rules::default(), None, Key::ephemeral(), None);
        let sender = Arc::new(sender.expect("the system's TLS can be set up"));
        Self { lists: pool.clone(), pool, blobs, wakeups, settings: Settings::default(), sender }
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
    /// The same, and when to look again was written down: commit.
    Noted,
    /// Somebody else took what was needed: roll back, look again later.
    Abandoned,
}
