//! The life of a notification: one pure function from state and event to state.
//!
//! ```text
//! open -> acknowledged -> closed;  open -> closed;  open -> open (escalated, a bounded number of times)
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationState)]
pub enum State {
    /// Nobody has said that they look after it.
    Open,
    /// Somebody looks after it; the cause is still there.
    Acknowledged,
    /// The cause is gone, or it was news and somebody has read it.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A person looks after it.
    Acknowledged,
    /// A person has read what was only news.
    Read,
    /// Nobody acknowledged it in time: further channels are told.
    Escalated,
    CauseGone,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a notification that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl Event {
    pub const ALL: [Event; 4] = [Event::Acknowledged, Event::Read, Event::Escalated, Event::CauseGone];

    /// The name of its record.
    pub fn record(self) -> &'static str {
        match self {
            Event::Acknowledged | Event::Read => "NotificationAcknowledged",
            Event::Escalated => "NotificationEscalated",
            Event::CauseGone => "NotificationClosed",
        }
    }
}

impl State {
    pub const ALL: [State; 3] = [State::Open, State::Acknowledged, State::Closed];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Acknowledged => "acknowledged",
            State::Closed => "closed",
        }
    }

    /// The state that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        match (self, event) {
            (State::Open, Event::Acknowledged) => Ok(State::Acknowledged),
            (State::Open, Event::Escalated) => Ok(State::Open),
            (State::Open, Event::Read) => Ok(State::Closed),
            (State::Open | State::Acknowledged, Event::CauseGone) => Ok(State::Closed),
            (state, event) => Err(Rejected { state, event }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_as_agreed() {
        let mut table = String::new();
        for state in State::ALL {
            for event in Event::ALL {
                if let Ok(next) = state.next(event) {
                    table += &format!("{state:?} + {event:?} -> {next:?}\n");
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        Open + Acknowledged -> Acknowledged
        Open + Read -> Closed
        Open + Escalated -> Open
        Open + CauseGone -> Closed
        Acknowledged + CauseGone -> Closed
        ");
    }

    #[test]
    fn each_column_word_reads_back_as_its_state() {
        for state in State::ALL {
            assert_eq!(State::from_column(state.as_str()), Some(state));
        }
        assert_eq!(State::from_column("nonsense"), None);
    }
}
