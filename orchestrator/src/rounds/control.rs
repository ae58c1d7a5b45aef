//! What people may order of a round: hold it, let it go on, cancel it.

use crate::batches;
use crate::ids::{ActorId, RoundId};
use crate::plates;
use crate::rounds::state::{Event, Rejected};
use crate::store::jobs::Consequences;
use crate::store::rounds::{Round, Why};
use crate::store::{self, Result, moved::Moved};
use sqlx::{Connection, PgConnection};

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordered {
    /// It is done. After the commit the consequences go to the wake-ups.
    Done(Box<Round>, Consequences),
    NotFound,
    /// The round is in no state for it.
    Refused(Rejected),
    ChangedMeanwhile,
}

/// Holds a live round: nothing new is begun until it is resumed; what agents do now they finish.
pub async fn hold(conn: &mut PgConnection, id: RoundId, reason: &str, actor: ActorId) -> Result<Ordered> {
    let why = Why::new("round.held_by_person", reason);
    order(conn, id, Event::Held, Some(why), actor).await
}

/// Lets a held round go on from where it was; a batch that waits has its whole time again. The task that asked for it is closed; what is missing (jobs of
/// a broken chain, a plate to be made again) the engine makes anew.
pub async fn resume(conn: &mut PgConnection, id: RoundId, actor: ActorId) -> Result<Ordered> {
    let mut tx = conn.begin().await?;
    let answer = resume_in(&mut tx, id, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn resume_in(conn: &mut PgConnection, id: RoundId, actor: ActorId) -> Result<Ordered> {
    let ordered = order(conn, id, Event::Resumed, None, actor).await?;
    if let Ordered::Done(round, _) = &ordered {
        store::tasks::close_for(conn, HELD_TASK, &round.id.to_string(), actor).await?;
        if let Some(mut batch) = store::batches::live_of_round(conn, id).await?
            && batch.state == batches::State::AwaitingApproval
        {
            store::batches::forget_draft(conn, batch.id).await?;
            let version = store::campaigns::version(conn, round.campaign_id, round.campaign_version)
                .await?
                .ok_or_else(|| store::Error::corrupt("campaign version of a round", round.id))?;
            store::batches::open_window(conn, &mut batch, version.spec.policy.expires_hours).await?;
        }
    }
    Ok(ordered)
}

/// Cause of the task that a held round opens.
pub const HELD_TASK: &str = "round.held";

/// Cancels a live round: its batch is withdrawn, its jobs are stopped, what was reserved is given back.
pub async fn cancel(conn: &mut PgConnection, id: RoundId, reason: &str, actor: ActorId) -> Result<Ordered> {
    let mut tx = conn.begin().await?;
    let answer = cancel_in(&mut tx, id, reason, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn cancel_in(conn: &mut PgConnection, id: RoundId, reason: &str, actor: ActorId) -> Result<Ordered> {
    let why = Why::new("round.cancelled_by_person", reason);
    let ordered = order(conn, id, Event::Cancelled, Some(why), actor).await?;
    let Ordered::Done(round, mut consequences) = ordered else { return Ok(ordered) };
    wind_up(conn, &round, reason, actor, &mut consequences).await?;
    Ok(Ordered::Done(round, consequences))
}

/// What ends with a round that ends before its time.
async fn wind_up(
    conn: &mut PgConnection,
    round: &Round,
    reason: &str,
    actor: ActorId,
    consequences: &mut Consequences,
) -> Result<()> {
    store::tasks::close_for(conn, HELD_TASK, &round.id.to_string(), actor).await?;
    if let Some(mut batch) = store::batches::live_of_round(conn, round.id).await? {
        let change = store::batches::Change { closed_reason: Some(reason.to_owned()), ..Default::default() };
        store::batches::apply(conn, &mut batch, batches::Event::Withdrawn, change, actor).await?.must()?;
    }
    for mut plate in store::plates::of_round(conn, round.id).await? {
        let change = store::plates::Change { reason: Some(reason.to_owned()), qc: None };
        if store::plates::apply(conn, &mut plate, plates::Event::Cancelled, change, actor).await?.is_done() {
            store::inventory::release(conn, plate.id).await?;
            store::inventory::set_stock_state(conn, &plate.barcode, store::inventory::StockState::Withdrawn)
                .await?;
        }
    }
    let stopped = store::jobs::stop_round(conn, round.id, actor, reason).await?;
    consequences.absorb(stopped.consequences);
    Ok(())
}

async fn order(
    conn: &mut PgConnection,
    id: RoundId,
    event: Event,
    why: Option<Why>,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = conn.begin().await?;
    let Some(mut round) = store::rounds::lock_waiting(&mut tx, id).await? else {
        return Ok(Ordered::NotFound);
    };
    let moved = store::rounds::apply(&mut tx, &mut round, event, why, actor).await?;
    tx.commit().await?;
    Ok(match moved {
        Moved::Done => Ordered::Done(Box::new(round), Consequences::default()),
        Moved::Rejected(rejected) => Ordered::Refused(rejected),
        Moved::ChangedMeanwhile => Ordered::ChangedMeanwhile,
    })
}
