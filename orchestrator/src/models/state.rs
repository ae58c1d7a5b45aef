//! The life of a model version: one pure function from state and event to state.
//!
//! ```text
//! candidate -> promoted -> retired
//!          `-> rejected
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ModelState)]
pub enum State {
    /// Trained, not judged.
    Candidate,
    /// Proposes the batches; at most one per campaign.
    Promoted,
    /// Worse, or not calibrated; the one before stays.
    Rejected,
    /// A later one was promoted.
    Retired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Promoted,
    Rejected,
    Retired,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a model version that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl Event {
    pub const ALL: [Event; 3] = [Event::Promoted, Event::Rejected, Event::Retired];

    /// The name of its record.
    pub fn record(self) -> &'static str {
        match self {
            Event::Promoted => "ModelVersionPromoted",
            Event::Rejected => "ModelVersionRejected",
            Event::Retired => "ModelVersionRetired",
        }
    }
}

impl State {
    pub const ALL: [State; 4] = [State::Candidate, State::Promoted, State::Rejected, State::Retired];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Candidate => "candidate",
            State::Promoted => "promoted",
            State::Rejected => "rejected",
            State::Retired => "retired",
        }
    }

    /// The state that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        match (self, event) {
            (State::Candidate, Event::Promoted) => Ok(State::Promoted),
            (State::Candidate, Event::Rejected) => Ok(State::Rejected),
            (State::Promoted, Event::Retired) => Ok(State::Retired),
            (state, event) => Err(Rejected { state, event }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{assert_over, assert_words_read_back, table};

    #[test]
    fn the_whole_table_is_as_agreed() {
        insta::assert_snapshot!(table(&State::ALL, &Event::ALL, State::next));
    }

    #[test]
    fn what_has_ended_takes_no_further_event() {
        assert_over([State::Rejected, State::Retired], &Event::ALL, State::next);
    }

    #[test]
    fn each_column_word_reads_back_as_its_state() {
        assert_words_read_back(&State::ALL, State::as_str, State::from_column);
    }
}
