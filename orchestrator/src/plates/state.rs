//! The life of an assay plate in one generation: one pure function from state and event to state.
//!
//! ```text
//! planned -> dispensing -> incubating -> reading -> passed
//!                                           `-> quarantined -> released | rejected (repeated, or given up) | cancelled
//! planned .. reading -> lost (a new generation is planned) | cancelled
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PlateState)]
pub enum State {
    /// Nothing has touched it.
    Planned,
    /// A dispense has begun.
    Dispensing,
    /// Every dispense is done.
    Incubating,
    /// Incubation is over; the read is due.
    Reading,
    /// QC passed: its observations train.
    Passed,
    /// QC failed: it trains nothing until a person decides.
    Quarantined,
    /// A person let it train all the same.
    Released,
    /// A person ordered it repeated or gave it up.
    Rejected,
    /// It cannot be used; what was on it is made again.
    Lost,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    DispenseBegan,
    DispensesDone,
    IncubationOver,
    QcPassed,
    QcFailed,
    Released,
    Rejected,
    Lost,
    Cancelled,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a plate that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl Event {
    pub const ALL: [Event; 9] = [
        Event::DispenseBegan,
        Event::DispensesDone,
        Event::IncubationOver,
        Event::QcPassed,
        Event::QcFailed,
        Event::Released,
        Event::Rejected,
        Event::Lost,
        Event::Cancelled,
    ];

    /// The name of its record.
    pub fn record(self) -> &'static str {
        match self {
            Event::DispenseBegan => "PlateDispenseBegan",
            Event::DispensesDone => "PlateDispensed",
            Event::IncubationOver => "PlateIncubated",
            Event::QcPassed => "PlatePassed",
            Event::QcFailed => "PlateQuarantined",
            Event::Released => "PlateReleased",
            Event::Rejected => "PlateRejected",
            Event::Lost => "PlateLost",
            Event::Cancelled => "PlateCancelled",
        }
    }
}

impl State {
    pub const ALL: [State; 10] = [
        State::Planned,
        State::Dispensing,
        State::Incubating,
        State::Reading,
        State::Passed,
        State::Quarantined,
        State::Released,
        State::Rejected,
        State::Lost,
        State::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Dispensing => "dispensing",
            State::Incubating => "incubating",
            State::Reading => "reading",
            State::Passed => "passed",
            State::Quarantined => "quarantined",
            State::Released => "released",
            State::Rejected => "rejected",
            State::Lost => "lost",
            State::Cancelled => "cancelled",
        }
    }

    /// The state that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Its observations may train.
    pub fn trains(self) -> bool {
        matches!(self, State::Passed | State::Released)
    }

    /// Nothing more is expected of it.
    pub fn is_terminal(self) -> bool {
        matches!(self, State::Passed | State::Released | State::Rejected | State::Lost | State::Cancelled)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        use Event as E;
        use State as S;
        let next = match (self, event) {
            (S::Planned | S::Dispensing, E::DispenseBegan) => S::Dispensing,
            (S::Dispensing, E::DispensesDone) => S::Incubating,
            (S::Incubating, E::IncubationOver) => S::Reading,
            (S::Reading, E::QcPassed) => S::Passed,
            (S::Reading, E::QcFailed) => S::Quarantined,
            (S::Quarantined, E::Released) => S::Released,
            (S::Quarantined, E::Rejected) => S::Rejected,
            (S::Planned | S::Dispensing | S::Incubating | S::Reading, E::Lost) => S::Lost,
            // With its round nobody decides on a quarantined one any more.
            (S::Planned | S::Dispensing | S::Incubating | S::Reading | S::Quarantined, E::Cancelled) => {
                S::Cancelled
            }
            (state, event) => return Err(Rejected { state, event }),
        };
        Ok(next)
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
