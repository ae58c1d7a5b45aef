//! What one round asks for, and the gate of approval.
//!
//! Commands, one per file: [`edit`], [`approve`], [`reject`]. Each takes the round's lock, decides, and
//! answers with what happened.

pub mod approve;
pub mod auto;
pub mod draft;
pub mod edit;
pub mod exclusion;
pub mod frozen;
pub mod gate;
pub mod gates;
pub mod instead;
pub mod reject;
pub mod state;
pub mod tally;

pub use state::{Event, State};

use crate::ids::BatchId;
use crate::store::batches::Batch;
use crate::store::rounds::Round;
use crate::store::{self, Result};
use sqlx::PgConnection;

/// Cause of the task that a batch opens whose plan is another one since it was approved.
pub const PLAN_DIFFERS_TASK: &str = "batch.plan_differs";

/// Why a round is held whose batch nobody approved in time.
pub const EXPIRED: &str = "approval.expired";

/// The batch under its round's lock; `None` when there is none of this id.
async fn lock(conn: &mut PgConnection, id: BatchId) -> Result<Option<(Round, Batch)>> {
    let Some(seen) = store::batches::by_id(conn, id).await? else { return Ok(None) };
    let Some(round) = store::rounds::lock_waiting(conn, seen.round_id).await? else { return Ok(None) };
    // What was seen before the lock may have changed.
    Ok(store::batches::by_id(conn, id).await?.map(|batch| (round, batch)))
}
