//! The life of a batch: one pure function from state and event to state.
//!
//! ```text
//! awaiting_approval -> approved (frozen) -> planned
//!        |-> rejected (proposed anew, next generation)
//!        |-> awaiting_approval (edited, its time was over, or the stock makes another plan of it: another revision)
//! any live state -> withdrawn (the round was cancelled or failed)
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BatchState)]
pub enum State {
    /// People look at it, edit it, comment.
    AwaitingApproval,
    /// Content, layout seed and plan digest are frozen under a hash.
    Approved,
    /// Plates and jobs exist; inventory is reserved.
    Planned,
    /// A person said no, with a reason; the round proposes anew.
    Rejected,
    /// The round ended before it could be carried out.
    Withdrawn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Edited,
    Approved,
    Rejected,
    /// Nobody approved it in time: what was said of this revision no longer counts.
    Expired,
    /// The live plan differs from the frozen one, or from the one that people looked at: what was said does not count for
    /// it.
    PlanDiffered,
    Planned,
    Withdrawn,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a batch that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl Event {
    pub const ALL: [Event; 7] = [
        Event::Edited,
        Event::Approved,
        Event::Rejected,
        Event::Expired,
        Event::PlanDiffered,
        Event::Planned,
        Event::Withdrawn,
    ];

    /// The name of its record.
    pub fn record(self) -> &'static str {
        match self {
            Event::Edited => "BatchEdited",
            Event::Approved => "BatchApproved",
            Event::Rejected => "BatchRejected",
            Event::Expired => "BatchApprovalExpired",
            Event::PlanDiffered => "BatchPlanDiffered",
            Event::Planned => "BatchPlanned",
            Event::Withdrawn => "BatchWithdrawn",
        }
    }
}

impl State {
    pub const ALL: [State; 5] =
        [State::AwaitingApproval, State::Approved, State::Planned, State::Rejected, State::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            State::AwaitingApproval => "awaiting_approval",
            State::Approved => "approved",
            State::Planned => "planned",
            State::Rejected => "rejected",
            State::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing of what it asks for changes any more.
    pub fn is_over(self) -> bool {
        matches!(self, State::Planned | State::Rejected | State::Withdrawn)
    }

    /// The state that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        use Event as E;
        use State as S;
        let next = match (self, event) {
            (S::AwaitingApproval, E::Edited | E::Expired | E::PlanDiffered) => S::AwaitingApproval,
            (S::AwaitingApproval, E::Approved) => S::Approved,
            (S::AwaitingApproval, E::Rejected) => S::Rejected,
            (S::Approved, E::PlanDiffered) => S::AwaitingApproval,
            (S::Approved, E::Planned) => S::Planned,
            (S::AwaitingApproval | S::Approved | S::Planned, E::Withdrawn) => S::Withdrawn,
            (state, event) => return Err(Rejected { state, event }),
        };
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_as_agreed() {
        let states = State::ALL;
        let mut table = String::new();
        for state in states {
            for event in Event::ALL {
                if let Ok(next) = state.next(event) {
                    table += &format!("{state:?} + {event:?} -> {next:?}\n");
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_has_ended_takes_no_further_event() {
        let ended = [State::Rejected, State::Withdrawn];
        for state in ended {
            for event in Event::ALL {
                assert!(state.next(event).is_err(), "{state:?} takes {event:?}");
            }
        }
    }

    #[test]
    fn each_column_word_reads_back_as_its_state() {
        for state in State::ALL {
            assert_eq!(State::from_column(state.as_str()), Some(state));
        }
        assert_eq!(State::from_column("nonsense"), None);
    }
}
