//! What people may order of a campaign: pause it, drain it, let it go on, cancel it. Each order and its hold are one
//! transaction: the state says what it is, the hold who wanted it so and bars its jobs.

use super::state::{Event, Rejected};
use crate::ids::{ActorId, CampaignId};
use crate::rounds;
use crate::store::campaigns::Campaign;
use crate::store::holds::{Manner, Subject};
use crate::store::jobs::Consequences;
use crate::store::moved::Moved;
use crate::store::{self, Result};
use sqlx::PgConnection;

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordered {
    /// It is done. After the commit the consequences go to the wake-ups.
    Done(Campaign, Consequences),
    NotFound,
    Refused(Rejected),
    ChangedMeanwhile,
}

/// Nothing of it is given out any more; what has begun is brought to its end.
pub async fn pause(conn: &mut PgConnection, id: CampaignId, reason: &str, actor: ActorId) -> Result<Ordered> {
    hold(conn, id, (Event::Paused, Manner::Pause), reason, actor).await
}

/// No round starts any more; a live one goes to its end. Then the campaign is paused.
pub async fn drain(conn: &mut PgConnection, id: CampaignId, reason: &str, actor: ActorId) -> Result<Ordered> {
    hold(conn, id, (Event::DrainOrdered, Manner::Drain), reason, actor).await
}

async fn hold(
    conn: &mut PgConnection,
    id: CampaignId,
    (event, manner): (Event, Manner),
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = store::begin(conn).await?;
    let mut ordered = order(&mut tx, id, event, reason, actor).await?;
    if let Ordered::Done(_, consequences) = &mut ordered {
        let why = if reason.is_empty() { "No reason was given." } else { reason };
        store::holds::put(&mut tx, Subject::Campaign, id.0, manner, why, actor).await?;
        consequences.absorb(store::jobs::take_back_barred(&mut tx).await?);
        if manner == Manner::Drain {
            // It may have been paused: what its round has to do is given out again.
            consequences.absorb(Consequences::looked_at_again());
        }
    }
    tx.commit().await?;
    Ok(ordered)
}

/// Rounds start again when they are due, and what was not given out is.
pub async fn resume(
    conn: &mut PgConnection,
    id: CampaignId,
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = store::begin(conn).await?;
    let mut ordered = order(&mut tx, id, Event::Resumed, reason, actor).await?;
    if let Ordered::Done(_, consequences) = &mut ordered {
        store::holds::lift(&mut tx, id.0).await?;
        consequences.absorb(Consequences::looked_at_again());
    }
    tx.commit().await?;
    Ok(ordered)
}

/// Ends the campaign, and cancels its live rounds.
pub async fn cancel(
    conn: &mut PgConnection,
    id: CampaignId,
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = store::begin(conn).await?;
    let answer = cancel_in(&mut tx, id, reason, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn cancel_in(conn: &mut PgConnection, id: CampaignId, reason: &str, actor: ActorId) -> Result<Ordered> {
    let ordered = order(conn, id, Event::Cancelled, reason, actor).await?;
    let Ordered::Done(campaign, mut consequences) = ordered else { return Ok(ordered) };
    store::holds::lift(conn, id.0).await?;
    store::ticks::skip_waiting(conn, id, reason).await?;
    for round in store::rounds::of_campaign(conn, id).await? {
        if !round.state.is_terminal()
            && let rounds::control::Ordered::Done(_, of_round) =
                rounds::control::cancel(conn, round.id, reason, actor).await?
        {
            consequences.absorb(of_round);
        }
    }
    Ok(Ordered::Done(campaign, consequences))
}

async fn order(
    conn: &mut PgConnection,
    id: CampaignId,
    event: Event,
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = store::begin(conn).await?;
    let Some(mut campaign) = store::campaigns::lock_waiting(&mut tx, id).await? else {
        return Ok(Ordered::NotFound);
    };
    let moved = store::campaigns::apply(&mut tx, &mut campaign, event, reason, actor).await?;
    tx.commit().await?;
    Ok(match moved {
        Moved::Done => Ordered::Done(campaign, Consequences::default()),
        Moved::Rejected(rejected) => Ordered::Refused(rejected),
        Moved::ChangedMeanwhile => Ordered::ChangedMeanwhile,
    })
}
