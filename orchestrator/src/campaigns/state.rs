//! The life of a campaign: one pure function from state and event to state.
//!
//! ```text
//! active -> draining -> paused;  active <-> paused;  draining -> active
//! active -> finished (budget spent, goal reached);  any of the first three -> cancelled
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CampaignState)]
pub enum State {
    /// Rounds start when they are due.
    Active,
    /// No round starts; a live one goes to its end, then it is paused.
    Draining,
    /// Nothing of it is given out to anybody; what has begun is brought to its end.
    Paused,
    /// Budget spent or goal reached.
    Finished,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Paused,
    DrainOrdered,
    /// Nothing of it is on its way any more.
    Drained,
    Resumed,
    Finished,
    Cancelled,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a campaign that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl Event {
    pub const ALL: [Event; 6] = [
        Event::Paused,
        Event::DrainOrdered,
        Event::Drained,
        Event::Resumed,
        Event::Finished,
        Event::Cancelled,
    ];

    /// The name of its record.
    pub fn record(self) -> &'static str {
        match self {
            Event::Paused => "CampaignPaused",
            Event::DrainOrdered => "CampaignDrainOrdered",
            Event::Drained => "CampaignDrained",
            Event::Resumed => "CampaignResumed",
            Event::Finished => "CampaignFinished",
            Event::Cancelled => "CampaignCancelled",
        }
    }
}

impl State {
    pub const ALL: [State; 5] =
        [State::Active, State::Draining, State::Paused, State::Finished, State::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Draining => "draining",
            State::Paused => "paused",
            State::Finished => "finished",
            State::Cancelled => "cancelled",
        }
    }

    /// The state that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }

    pub fn is_terminal(self) -> bool {
        matches!(self, State::Finished | State::Cancelled)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        match (self, event) {
            (State::Active | State::Draining, Event::Paused) => Ok(State::Paused),
            (State::Active | State::Paused, Event::DrainOrdered) => Ok(State::Draining),
            (State::Draining, Event::Drained) => Ok(State::Paused),
            (State::Draining | State::Paused, Event::Resumed) => Ok(State::Active),
            (State::Active, Event::Finished) => Ok(State::Finished),
            (State::Active | State::Draining | State::Paused, Event::Cancelled) => Ok(State::Cancelled),
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
        assert_over(State::ALL.into_iter().filter(|state| state.is_terminal()), &Event::ALL, State::next);
    }

    #[test]
    fn each_column_word_reads_back_as_its_state() {
        assert_words_read_back(&State::ALL, State::as_str, State::from_column);
    }
}
