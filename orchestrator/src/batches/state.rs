//! The life of a batch: one pure function from state and event to state.
//!
//! ```text
//! awaiting_approval -> approved (frozen) -> planned
//!        |-> rejected (proposed anew, next generation)
//! any live state -> withdrawn (the round was cancelled or failed)
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
    /// The live plan differs from the frozen one: back to the approver with the difference.
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
    pub const ALL: [Event; 6] = [
        Event::Edited,
        Event::Approved,
        Event::Rejected,
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

    /// The state that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        use Event as E;
        use State as S;
        let next = match (self, event) {
            (S::AwaitingApproval, E::Edited) => S::AwaitingApproval,
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
