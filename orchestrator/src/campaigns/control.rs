//! What people may order of a campaign: pause it, let it go on, cancel it.

use super::state::{Event, Rejected};
use crate::ids::{ActorId, CampaignId};
use crate::rounds;
use crate::store::campaigns::Campaign;
use crate::store::jobs::Consequences;
use crate::store::moved::Moved;
use crate::store::{self, Result};
use sqlx::{Connection, PgConnection};

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordered {
    /// It is done. After the commit the consequences go to the wake-ups.
    Done(Campaign, Consequences),
    NotFound,
    Refused(Rejected),
    ChangedMeanwhile,
}

/// No round starts any more; a live one goes on.
pub async fn pause(conn: &mut PgConnection, id: CampaignId, reason: &str, actor: ActorId) -> Result<Ordered> {
    order(conn, id, Event::Paused, reason, actor).await
}

/// Rounds start again when they are due.
pub async fn resume(
    conn: &mut PgConnection,
    id: CampaignId,
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    order(conn, id, Event::Resumed, reason, actor).await
}

/// Ends the campaign, and cancels its live rounds.
pub async fn cancel(
    conn: &mut PgConnection,
    id: CampaignId,
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = conn.begin().await?;
    let answer = cancel_in(&mut tx, id, reason, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn cancel_in(conn: &mut PgConnection, id: CampaignId, reason: &str, actor: ActorId) -> Result<Ordered> {
    let ordered = order(conn, id, Event::Cancelled, reason, actor).await?;
    let Ordered::Done(campaign, mut consequences) = ordered else { return Ok(ordered) };
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
    let mut tx = conn.begin().await?;
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
