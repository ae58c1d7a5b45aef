//! The life of a delivery: one pure function from state and event to state.
//!
//! ```text
//! pending (claimed, tried, tried again later) -> delivered
//!    |-> dead (given up: a dead letter)         delivered | dead -> pending (a person orders it again)
//!    `-> cancelled (nobody needs it any more)
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Tries before a delivery is given up; with [`super::backoff`], over about a day.
pub const MOST_TRIES: u32 = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// `tries`: claims since it was made or ordered again, this one included.
    Pending {
        tries: u32,
    },
    Delivered,
    Dead,
    Cancelled,
}

/// A state's word, in SQL and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
pub enum Word {
    Pending,
    Delivered,
    /// Given up; `loopwright channel redeliver` orders it again.
    Dead,
    /// The channel was removed, or the cause was gone before anybody was told.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Delivered,
    /// It may pass another time.
    FailedForNow,
    /// It never will: the address is refused, the receiver is gone.
    FailedForGood,
    Cancelled,
    /// A person wants it told (again).
    OrderedAgain,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl Event {
    pub const ALL: [Event; 5] =
        [Event::Delivered, Event::FailedForNow, Event::FailedForGood, Event::Cancelled, Event::OrderedAgain];
}

impl Word {
    pub const ALL: [Word; 4] = [Word::Pending, Word::Delivered, Word::Dead, Word::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Word::Pending => "pending",
            Word::Delivered => "delivered",
            Word::Dead => "dead",
            Word::Cancelled => "cancelled",
        }
    }

    /// The word that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<Word> {
        Word::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

impl State {
    /// The state that the columns say.
    pub fn from_columns(word: Word, tries: u32) -> State {
        match word {
            Word::Pending => State::Pending { tries },
            Word::Delivered => State::Delivered,
            Word::Dead => State::Dead,
            Word::Cancelled => State::Cancelled,
        }
    }

    pub fn word(self) -> Word {
        match self {
            State::Pending { .. } => Word::Pending,
            State::Delivered => Word::Delivered,
            State::Dead => Word::Dead,
            State::Cancelled => Word::Cancelled,
        }
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        match (self, event) {
            (State::Pending { .. }, Event::Delivered) => Ok(State::Delivered),
            (State::Pending { tries }, Event::FailedForNow) if tries < MOST_TRIES => {
                Ok(State::Pending { tries })
            }
            (State::Pending { .. }, Event::FailedForNow | Event::FailedForGood) => Ok(State::Dead),
            (State::Pending { .. }, Event::Cancelled) => Ok(State::Cancelled),
            (State::Delivered | State::Dead, Event::OrderedAgain) => Ok(State::Pending { tries: 0 }),
            (state, event) => Err(Rejected { state, event }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_as_agreed() {
        let states = [
            State::Pending { tries: 1 },
            State::Pending { tries: MOST_TRIES },
            State::Delivered,
            State::Dead,
            State::Cancelled,
        ];
        let mut table = String::new();
        for state in states {
            for event in Event::ALL {
                if let Ok(next) = state.next(event) {
                    table += &format!("{state:?} + {event:?} -> {next:?}\n");
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        Pending { tries: 1 } + Delivered -> Delivered
        Pending { tries: 1 } + FailedForNow -> Pending { tries: 1 }
        Pending { tries: 1 } + FailedForGood -> Dead
        Pending { tries: 1 } + Cancelled -> Cancelled
        Pending { tries: 15 } + Delivered -> Delivered
        Pending { tries: 15 } + FailedForNow -> Dead
        Pending { tries: 15 } + FailedForGood -> Dead
        Pending { tries: 15 } + Cancelled -> Cancelled
        Delivered + OrderedAgain -> Pending { tries: 0 }
        Dead + OrderedAgain -> Pending { tries: 0 }
        ");
    }

    #[test]
    fn each_column_word_reads_back_as_its_state() {
        for word in Word::ALL {
            assert_eq!(Word::from_column(word.as_str()), Some(word));
            assert_eq!(State::from_columns(word, 3).word(), word);
        }
        assert_eq!(Word::from_column("nonsense"), None);
    }
}
