//! Orders for one instrument.

use super::{Order, Ruling};
use crate::ids::ActorId;
use crate::store;
use crate::store::Result;
use crate::store::instruments::{self, Change, Instrument, InstrumentState};
use crate::store::jobs as queue;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// The state that `order` leads to. Cancelling also asks what runs on it to stop.
pub fn rule(state: InstrumentState, order: Order) -> Ruling<InstrumentState> {
    use InstrumentState as S;
    match (order, state) {
        (_, S::Retired) => {
            Ruling::Refused("It is retired. `loopwright instrument set NAME in-service` puts it back.")
        }
        (Order::Pause, S::Maintenance) | (Order::Drain, S::Draining) | (Order::Resume, S::InService) => {
            Ruling::Already
        }
        (Order::Pause | Order::Cancel, _) => Ruling::Do(S::Maintenance),
        (Order::Drain, _) => Ruling::Do(S::Draining),
        (Order::Resume, _) => Ruling::Do(S::InService),
    }
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordered {
    /// `stopping`: jobs that were asked to stop.
    Done {
        instrument: Instrument,
        stopping: usize,
    },
    /// It is so already.
    Already(Instrument),
    NotFound,
    Refused(&'static str),
}

/// Carries out an order, in a transaction of its own. `back_lab_at`: when it is expected back.
pub async fn order(
    conn: &mut PgConnection,
    name: &str,
    order: Order,
    reason: &str,
    back_lab_at: Option<DateTime<Utc>>,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = store::begin(conn).await?;
    let Some(state) = instruments::lock(&mut tx, name).await? else { return Ok(Ordered::NotFound) };
    let next = match rule(state, order) {
        Ruling::Already => return Ok(Ordered::Already(instruments::get(&mut tx, name).await?)),
        Ruling::Refused(why) => return Ok(Ordered::Refused(why)),
        Ruling::Do(next) => next,
    };
    let stopping = if order == Order::Cancel {
        let jobs = instruments::jobs_on(&mut tx, name).await?;
        queue::take_back(&mut tx, &jobs).await?;
        queue::ask(&mut tx, &jobs, actor, reason).await?
    } else {
        0
    };
    if next == state && stopping == 0 {
        return Ok(Ordered::Already(instruments::get(&mut tx, name).await?));
    }
    let kind = match order {
        Order::Pause => "InstrumentPaused",
        Order::Drain => "InstrumentDrainOrdered",
        Order::Resume => "InstrumentResumed",
        Order::Cancel => "InstrumentCancelled",
    };
    let change = Change { state: next, reason: Some(reason), back_lab_at, kind };
    instruments::apply(&mut tx, name, &change, actor).await?;
    queue::take_back_barred(&mut tx).await?;
    let instrument = instruments::get(&mut tx, name).await?;
    tx.commit().await?;
    Ok(Ordered::Done { instrument, stopping })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::table;

    #[test]
    fn the_whole_table_is_as_agreed() {
        insta::assert_snapshot!(table(&InstrumentState::ALL, rule));
    }
}
