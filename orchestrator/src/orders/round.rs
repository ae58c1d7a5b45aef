//! What an order means for a round. Pure.
//!
//! A round that the engine holds (something needs a person) lets the jobs go on that were already given out, so that
//! plates in incubators are not spoilt; one that a person paused does not.

use super::{Order, Ruling};
use crate::rounds::state::State;
use crate::store::holds::Manner;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The round is held, and nothing of it begins.
    Pause,
    /// It is held already, by the engine; from now on nothing of it begins.
    PauseToo,
    /// Only plates that have begun go on.
    Drain,
    /// It goes on from where it was held.
    Resume,
    /// It drains no more: everything goes on.
    GoOn,
    Cancel,
}

const OVER: &str = "The round is over.";

/// What `order` means for a round that is `state`, and held so by a person.
pub fn rule(state: State, held: Option<Manner>, order: Order) -> Ruling<Act> {
    match (order, state, held) {
        (Order::Cancel, State::Cancelled, _) => Ruling::Already,
        (_, State::Closed | State::Cancelled | State::Failed, _) => Ruling::Refused(OVER),
        (Order::Pause, State::Held(_), Some(Manner::Pause)) => Ruling::Already,
        (Order::Pause, State::Held(_), _) => Ruling::Do(Act::PauseToo),
        (Order::Pause, State::In(_), _) => Ruling::Do(Act::Pause),
        (Order::Drain, _, Some(Manner::Drain)) => Ruling::Already,
        (Order::Drain, State::In(_) | State::Held(_), _) => Ruling::Do(Act::Drain),
        (Order::Resume, State::Held(_), _) => Ruling::Do(Act::Resume),
        (Order::Resume, State::In(_), Some(_)) => Ruling::Do(Act::GoOn),
        (Order::Resume, State::In(_), None) => Ruling::Already,
        (Order::Cancel, State::In(_) | State::Held(_), _) => Ruling::Do(Act::Cancel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::table;

    #[test]
    fn the_whole_table_is_as_agreed() {
        let mut states = Vec::new();
        for state in State::all() {
            for held in [None, Some(Manner::Pause), Some(Manner::Drain)] {
                states.push((state, held));
            }
        }
        insta::assert_snapshot!(table(&states, |(state, held), order| rule(state, held, order)));
    }

    #[test]
    fn every_order_is_undone_by_its_opposite() {
        for state in State::all().into_iter().filter(|state| !state.is_terminal()) {
            for held in [Some(Manner::Pause), Some(Manner::Drain)] {
                assert!(matches!(rule(state, held, Order::Resume), Ruling::Do(_)), "{state:?} {held:?}");
            }
        }
    }
}
