//! The worker gives a job back before it began.

use super::held::{self, AttemptEnding, Authority};
use super::settle::{self, Consequences, Decided, Ending};
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::Result;
use ::jobs::state::{Event, State};
use ::jobs::{JobId, LeaseToken};
use sqlx::PgConnection;

/// How a release ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// It waits for somebody else, or was cancelled when a stop had been asked for.
    Released(Consequences),
    /// It had begun: only a report ends it. Nothing changed.
    HasBegun,
}

pub async fn release(conn: &mut PgConnection, job: JobId, token: LeaseToken) -> Result<Authority<Released>> {
    steps::before(Step::Release).await;
    let mut tx = store::begin(conn).await?;
    let Some(held) = held::take(&mut tx, job, token).await? else { return Ok(Authority::Lost) };
    // A stop may have come between the start and the release: what has begun is reported, not released.
    let next = if held.started_at.is_some() { None } else { held.phase.next(Event::Released).ok() };
    let consequences = match next {
        None => {
            tx.rollback().await?;
            return Ok(Authority::Held(Released::HasBegun));
        }
        Some(State::Ready) => {
            held.end_attempt(&mut tx, AttemptEnding::Released, false).await?;
            Consequences::ready(&held.back_to_ready(&mut tx, None).await?)
        }
        Some(_) => {
            held.end_attempt(&mut tx, AttemptEnding::Released, false).await?;
            settle::settle(&mut tx, job, &Ending::Cancelled, Decided::by_the_queue(held.worker)).await?
        }
    };
    steps::commit(tx, Step::Release).await?;
    Ok(Authority::Held(Released::Released(consequences)))
}
