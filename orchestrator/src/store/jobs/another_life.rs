//! Leases that came out of a dump: their authority is of a life that is over.
//!
//! What had begun and may not be repeated is in doubt at once; everything else is ready again. A report under
//! such a lease is a late one, as always.

use super::doubt::{self, Why};
use super::held::{AttemptEnding, Held, Row};
use super::settle::{self, Consequences, Decided, Ending};
use crate::ids::SYSTEM;
use crate::store::error::Result;
use ::jobs::state::State;
use sqlx::PgConnection;

/// Ends every lease, in the caller's transaction.
pub async fn end_leases_of_another_life(conn: &mut PgConnection) -> Result<Consequences> {
    let rows = sqlx::query_as!(
        Row,
        "delete from lease
         returning job_id, lease_token, worker, instrument, phase, attempt, leased_at, started_at,
             deadline_lab_at, progress"
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut consequences = Consequences::default();
    for row in rows {
        consequences.absorb(end(conn, &Held::try_from(row)?).await?);
    }
    Ok(consequences)
}

async fn end(conn: &mut PgConnection, held: &Held) -> Result<Consequences> {
    held.end_attempt(conn, AttemptEnding::Expired, false).await?;
    let repeatable = sqlx::query_scalar!("select repeatable from job where id = $1", held.job_id.0)
        .fetch_one(&mut *conn)
        .await?;
    if held.started_at.is_some() && !repeatable {
        doubt::enter(conn, held, Why::LeaseExpired, SYSTEM).await?;
        return Ok(Consequences::default());
    }
    if held.phase == State::Stopping {
        return settle::settle(conn, held.job_id, &Ending::Cancelled, Decided::by_the_queue(SYSTEM)).await;
    }
    Ok(Consequences::ready(&held.back_to_ready(conn, None).await?))
}
