//! What people may order of a round: pause it, drain it, let it go on, cancel it ([`crate::orders::round`] is the table).

use crate::batches;
use crate::ids::{ActorId, RoundId};
use crate::orders::round::{Act, rule};
use crate::orders::{Order, Ruling};
use crate::plates;
use crate::plates::decide::{LOST_TASK, QUARANTINED_TASK};
use crate::rounds::state::{Event, Rejected, State};
use crate::store::holds::{Manner, Subject};
use crate::store::jobs::Consequences;
use crate::store::proposals::Fate;
use crate::store::rounds::{Round, Why};
use crate::store::{self, Result, moved::Moved};
use sqlx::PgConnection;

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordered {
    /// It is done. After the commit the consequences go to the wake-ups.
    Done(Box<Round>, Consequences),
    /// It is so already.
    Already(Box<Round>),
    NotFound,
    /// The round is in no state for it: why.
    Refused(State, &'static str),
    ChangedMeanwhile,
}

/// Nothing of the round that has not begun begins until it is resumed; what agents do now they finish.
pub async fn pause(conn: &mut PgConnection, id: RoundId, reason: &str, actor: ActorId) -> Result<Ordered> {
    order(conn, id, Order::Pause, reason, actor).await
}

/// Plates that have begun go to their end, nothing else begins. Then the round is held.
pub async fn drain(conn: &mut PgConnection, id: RoundId, reason: &str, actor: ActorId) -> Result<Ordered> {
    order(conn, id, Order::Drain, reason, actor).await
}

/// Lets a held or draining round go on from where it was; a batch that waits has its whole time again. The task that
/// asked for it is closed; what is missing (jobs of a broken chain, a plate to be made again) the engine makes anew.
pub async fn resume(conn: &mut PgConnection, id: RoundId, actor: ActorId) -> Result<Ordered> {
    order(conn, id, Order::Resume, "", actor).await
}

/// Cancels a live round: its batch is withdrawn, its jobs are stopped, what was reserved is given back.
pub async fn cancel(conn: &mut PgConnection, id: RoundId, reason: &str, actor: ActorId) -> Result<Ordered> {
    order(conn, id, Order::Cancel, reason, actor).await
}

async fn order(
    conn: &mut PgConnection,
    id: RoundId,
    order: Order,
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = store::begin(conn).await?;
    let Some(mut round) = store::rounds::lock_waiting(&mut tx, id).await? else {
        return Ok(Ordered::NotFound);
    };
    let held = store::holds::manner_of(&mut tx, id.0).await?;
    let act = match rule(round.state, held, order) {
        Ruling::Already => return Ok(Ordered::Already(Box::new(round))),
        Ruling::Refused(why) => return Ok(Ordered::Refused(round.state, why)),
        Ruling::Do(act) => act,
    };
    let mut out = Consequences::default();
    match carry_out(&mut tx, &mut round, act, reason, actor, &mut out).await? {
        Moved::Done => {}
        Moved::Rejected(rejected) => return Err(store::Error::corrupt("round order", rejected)),
        Moved::ChangedMeanwhile => return Ok(Ordered::ChangedMeanwhile),
    }
    tx.commit().await?;
    Ok(Ordered::Done(Box::new(round), out))
}

async fn carry_out(
    conn: &mut PgConnection,
    round: &mut Round,
    act: Act,
    reason: &str,
    actor: ActorId,
    out: &mut Consequences,
) -> Result<Moved<Rejected>> {
    let id = round.id.0;
    match act {
        Act::Pause => {
            let why = Why::new("round.held_by_person", reason);
            let moved = store::rounds::apply(conn, round, Event::Held, Some(why), actor).await?;
            if moved.is_done() {
                pause_jobs(conn, id, reason, actor, out).await?;
            }
            Ok(moved)
        }
        Act::PauseToo => {
            pause_jobs(conn, id, reason, actor, out).await?;
            store::rounds::note(conn, round, "RoundPaused", reason, actor).await?;
            Ok(Moved::Done)
        }
        Act::Drain => {
            store::holds::put(conn, Subject::Round, id, Manner::Drain, reason, actor).await?;
            out.absorb(store::jobs::take_back_barred(conn).await?);
            out.absorb(Consequences::looked_at_again());
            store::rounds::note(conn, round, "RoundDrainOrdered", reason, actor).await?;
            Ok(Moved::Done)
        }
        Act::Resume => {
            let moved = store::rounds::apply(conn, round, Event::Resumed, None, actor).await?;
            if moved.is_done() {
                go_on(conn, round, actor, out).await?;
            }
            Ok(moved)
        }
        Act::GoOn => {
            store::rounds::note(conn, round, "RoundDrainLifted", reason, actor).await?;
            go_on(conn, round, actor, out).await?;
            Ok(Moved::Done)
        }
        Act::Cancel => {
            let why = Why::new("round.cancelled_by_person", reason);
            let moved = store::rounds::apply(conn, round, Event::Cancelled, Some(why), actor).await?;
            if moved.is_done() {
                store::holds::lift(conn, id).await?;
                wind_up(conn, round, reason, actor, out).await?;
            }
            Ok(moved)
        }
    }
}

async fn pause_jobs(
    conn: &mut PgConnection,
    round: uuid::Uuid,
    reason: &str,
    actor: ActorId,
    out: &mut Consequences,
) -> Result<()> {
    store::holds::put(conn, Subject::Round, round, Manner::Pause, reason, actor).await?;
    out.absorb(store::jobs::take_back_barred(conn).await?);
    Ok(())
}

/// Nothing holds the round any more.
async fn go_on(conn: &mut PgConnection, round: &Round, actor: ActorId, out: &mut Consequences) -> Result<()> {
    store::holds::lift(conn, round.id.0).await?;
    out.absorb(Consequences::looked_at_again());
    store::tasks::close_for(conn, HELD_TASK, &round.id.to_string(), actor).await?;
    if let Some(mut batch) = store::batches::live_of_round(conn, round.id).await?
        && batch.state == batches::State::AwaitingApproval
    {
        store::batches::forget_draft(conn, batch.id).await?;
        let version = store::campaigns::version(conn, round.campaign_id, round.campaign_version)
            .await?
            .ok_or_else(|| store::Error::corrupt("campaign version of a round", round.id))?;
        store::batches::open_window(conn, &mut batch, version.spec.policy.expires_hours).await?;
    }
    Ok(())
}

/// Cause of the task that a held round opens.
pub const HELD_TASK: &str = "round.held";

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
        store::tasks::close_for(conn, batches::PLAN_DIFFERS_TASK, &batch.id.to_string(), actor).await?;
        // What was measured stays, and is not asked for again.
        let standings = store::accounts::standings(conn, batch.id).await?;
        let measured = standings.iter().filter(|standing| standing.observations > 0);
        let fates: Vec<_> = measured.map(|it| (it.proposal_id, Fate::Measured, None)).collect();
        store::proposals::set_fates(conn, &fates).await?;
    }
    for mut plate in store::plates::of_round(conn, round.id).await? {
        let change = store::plates::Change { reason: Some(reason.to_owned()), qc: None };
        if store::plates::apply(conn, &mut plate, plates::Event::Cancelled, change, actor).await?.is_done() {
            store::inventory::release(conn, plate.id).await?;
            store::inventory::set_stock_state(conn, &plate.barcode, store::inventory::StockState::Withdrawn)
                .await?;
            store::tasks::close_for(conn, QUARANTINED_TASK, &plate.id.to_string(), actor).await?;
        }
        store::tasks::close_for(conn, LOST_TASK, &plate.id.to_string(), actor).await?;
    }
    let stopped = store::jobs::stop_round(conn, round.id, actor, reason).await?;
    consequences.absorb(stopped.consequences);
    Ok(())
}
