//! Orders for one job.

use super::{Order, Ruling};
use crate::ids::ActorId;
use crate::store;
use crate::store::events::{self, NewEvent};
use crate::store::holds::{self, Hold, Manner, Subject};
use crate::store::jobs::{self as queue, Consequences, Stopped};
use crate::store::{Error, Result};
use jobs::JobId;
use jobs::state::State;
use serde_json::json;
use sqlx::PgConnection;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It stays in the queue and is not given out.
    Hold,
    /// It is leased and has not begun: it is taken back, and held.
    TakeBack,
    /// It goes to its end; what needs it to succeed does not begin.
    Drain,
    /// It is given out again; so is what its drain held.
    GoOn,
    /// Cancelled, or asked to stop.
    Cancel,
}

/// What `order` means for a job that is `state`, and held so by a person.
pub fn rule(state: State, held: Option<Manner>, order: Order) -> Ruling<Act> {
    use State as S;
    match (order, state) {
        (Order::Pause | Order::Drain, S::Waiting | S::Ready) if held == Some(Manner::Pause) => {
            Ruling::Already
        }
        (Order::Pause | Order::Drain, S::Waiting | S::Ready) => Ruling::Do(Act::Hold),
        (Order::Pause | Order::Drain, S::Leased) => Ruling::Do(Act::TakeBack),
        (Order::Pause, S::Running) => Ruling::Refused(
            "It has begun. Drain it: what follows does not begin; or cancel it: it is asked to stop.",
        ),
        (Order::Drain, S::Running) if held == Some(Manner::Drain) => Ruling::Already,
        (Order::Drain, S::Running) => Ruling::Do(Act::Drain),
        (Order::Pause | Order::Drain, S::Stopping) => Ruling::Refused("It is asked to stop already."),
        (Order::Pause | Order::Drain, S::InDoubt) => {
            Ruling::Refused("It is in doubt: what follows waits for a person. Look, and say what happened.")
        }
        (Order::Resume, _) if held.is_some() => Ruling::Do(Act::GoOn),
        (Order::Resume, S::Waiting | S::Ready | S::Leased | S::Running) => Ruling::Already,
        (Order::Resume, S::Stopping) => {
            Ruling::Refused("It is asked to stop, which cannot be taken back. Its round orders it again.")
        }
        (Order::Resume, S::InDoubt) => {
            Ruling::Refused("It is in doubt. Look, and say what happened: done, not done, or plate lost.")
        }
        (Order::Cancel, S::Waiting | S::Ready | S::Leased | S::Running) => Ruling::Do(Act::Cancel),
        (Order::Cancel, S::Stopping | S::Cancelled) => Ruling::Already,
        (Order::Cancel, S::InDoubt) => {
            Ruling::Refused("It is in doubt: there is nothing to stop. Look, and say what happened.")
        }
        (Order::Drain, S::Succeeded | S::Failed | S::Cancelled | S::PlateLost)
            if held == Some(Manner::Drain) =>
        {
            Ruling::Already
        }
        (_, S::Succeeded | S::Failed | S::Cancelled | S::PlateLost) => Ruling::Refused("It has ended."),
    }
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordered {
    /// After the commit the consequences go to the wake-ups.
    Done(State, Option<Hold>, Consequences),
    /// It is so already.
    Already(State, Option<Hold>),
    NotFound,
    Refused(State, &'static str),
}

/// Carries out an order, in a transaction of its own.
pub async fn order(
    conn: &mut PgConnection,
    job: JobId,
    order: Order,
    reason: &str,
    actor: ActorId,
) -> Result<Ordered> {
    let mut tx = store::begin(conn).await?;
    let Some(state) = queue::lock_state(&mut tx, job).await? else { return Ok(Ordered::NotFound) };
    // What stands on it because something before it drains goes with that; a person's own order stays.
    let derived = matches!(order, Order::Pause | Order::Drain) && holds::is_derived(&mut tx, job.0).await?;
    let held = if derived { None } else { holds::manner_of(&mut tx, job.0).await? };
    let mut out = Consequences::default();
    match rule(state, held, order) {
        Ruling::Already => return Ok(Ordered::Already(state, holds::of(&mut tx, job.0).await?)),
        Ruling::Refused(why) => return Ok(Ordered::Refused(state, why)),
        Ruling::Do(Act::Cancel) => {
            holds::lift(&mut tx, job.0).await?;
            match queue::stop(&mut tx, job, actor, reason).await? {
                Stopped::Cancelled(consequences) => out.absorb(consequences),
                Stopped::Requested | Stopped::AlreadyDone => {}
                Stopped::Refused(state) => return Err(Error::corrupt("locked job", state.as_str())),
            }
        }
        Ruling::Do(act) => carry_out(&mut tx, job, act, reason, actor, &mut out).await?,
    }
    let now = queue::state_of(&mut tx, job).await?.ok_or_else(|| Error::not_found("job", job))?;
    let hold = holds::of(&mut tx, job.0).await?;
    tx.commit().await?;
    Ok(Ordered::Done(now, hold, out))
}

async fn carry_out(
    conn: &mut PgConnection,
    job: JobId,
    act: Act,
    reason: &str,
    actor: ActorId,
    out: &mut Consequences,
) -> Result<()> {
    let kind = match act {
        Act::Hold | Act::TakeBack => {
            holds::put(conn, Subject::Job, job.0, Manner::Pause, reason, actor).await?;
            if act == Act::TakeBack {
                queue::take_back(conn, &[job.0]).await?;
            }
            "JobPaused"
        }
        Act::Drain => {
            holds::put(conn, Subject::Job, job.0, Manner::Drain, reason, actor).await?;
            holds::put_on_dependents(conn, job, reason, actor).await?;
            "JobDrainOrdered"
        }
        Act::GoOn => {
            holds::lift(conn, job.0).await?;
            out.absorb(Consequences::looked_at_again());
            "JobResumed"
        }
        Act::Cancel => return Ok(()),
    };
    let event = NewEvent {
        kind,
        subject: "job",
        subject_id: job.to_string(),
        campaign_id: queue::campaign_of(conn, job).await?,
        actor,
        body: json!({"reason": reason}),
    };
    events::append(conn, &event).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::table;

    #[test]
    fn the_whole_table_is_as_agreed() {
        let mut states = Vec::new();
        for state in State::ALL {
            for held in [None, Some(Manner::Pause), Some(Manner::Drain)] {
                states.push((state, held));
            }
        }
        insta::assert_snapshot!(table(&states, |(state, held), order| rule(state, held, order)));
    }

    #[test]
    fn what_has_begun_is_never_taken_back() {
        for state in [State::Running, State::Stopping, State::InDoubt] {
            for held in [None, Some(Manner::Pause), Some(Manner::Drain)] {
                for order in Order::ALL {
                    let ruling = rule(state, held, order);
                    assert!(!matches!(ruling, Ruling::Do(Act::Hold | Act::TakeBack)), "{state:?} {order:?}");
                }
            }
        }
    }
}
