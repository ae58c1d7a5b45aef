//! The life of a tick: judged once when it is due, and again while it waits.
//!
//! ```text
//! due -> started (a round)          waiting -> started
//!     -> skipped (says why)                 -> skipped
//!     -> waiting (says what for)            -> waiting (for something else)
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TickState)]
pub enum State {
    /// Nobody has judged it; it is in no table.
    Due,
    Waiting,
    Started,
    Skipped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    Waited,
    Started,
    Skipped,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tick that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl Event {
    pub const ALL: [Event; 3] = [Event::Waited, Event::Started, Event::Skipped];

    /// The name of its record.
    pub fn record(self) -> &'static str {
        match self {
            Event::Waited => "TickWaits",
            Event::Started => "TickStarted",
            Event::Skipped => "TickSkipped",
        }
    }
}

impl State {
    pub const ALL: [State; 4] = [State::Due, State::Waiting, State::Started, State::Skipped];

    /// The word in the `state` column.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Due => "due",
            State::Waiting => "waiting",
            State::Started => "started",
            State::Skipped => "skipped",
        }
    }

    /// The state that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| *state != State::Due && state.as_str() == word)
    }

    pub fn is_terminal(self) -> bool {
        matches!(self, State::Started | State::Skipped)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        match (self, event) {
            (State::Due | State::Waiting, Event::Waited) => Ok(State::Waiting),
            (State::Due | State::Waiting, Event::Started) => Ok(State::Started),
            (State::Due | State::Waiting, Event::Skipped) => Ok(State::Skipped),
            (state, event) => Err(Rejected { state, event }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_takes_no_further_event_and_the_rest_takes_each() {
        for state in State::ALL {
            for event in Event::ALL {
                assert_eq!(state.next(event).is_err(), state.is_terminal(), "{state:?} and {event:?}");
            }
        }
    }

    #[test]
    fn each_column_word_reads_back_as_its_state() {
        for state in [State::Waiting, State::Started, State::Skipped] {
            assert_eq!(State::from_column(state.as_str()), Some(state));
        }
        assert_eq!(State::from_column("due"), None, "what nobody judged is not stored");
    }
}
