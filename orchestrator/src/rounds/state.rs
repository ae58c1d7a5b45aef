//! The life of a round: one pure function from state and event to state.
//!
//! ```text
//! proposing -> awaiting_approval -> planning -> executing -> assessing -> closed
//!     ^------------- rejected ----'   ^------ differed ---'
//! any live state -> held (says why) -> back;   -> cancelled;   -> failed (says why)
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stage in which a round moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A learner is asked for the batch.
    Proposing,
    /// The batch waits for people.
    AwaitingApproval,
    /// The frozen batch becomes plates and jobs, with reservations.
    Planning,
    /// Agents work.
    Executing,
    /// Readings are judged; quarantined plates wait for people.
    Assessing,
}

impl Stage {
    pub const ALL: [Stage; 5] =
        [Stage::Proposing, Stage::AwaitingApproval, Stage::Planning, Stage::Executing, Stage::Assessing];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Proposing => "proposing",
            Stage::AwaitingApproval => "awaiting_approval",
            Stage::Planning => "planning",
            Stage::Executing => "executing",
            Stage::Assessing => "assessing",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", content = "from", rename_all = "snake_case")]
#[schema(as = RoundState)]
pub enum State {
    In(Stage),
    /// Stands still, for a reason a person must deal with; goes back to where it was.
    Held(Stage),
    Closed,
    Cancelled,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    BatchProposed,
    BatchApproved,
    BatchRejected,
    PlanCommitted,
    /// The plan on live inventory is another than the approved one: back to the approver.
    PlanDiffered,
    /// No job of the round is left to do.
    WorkFinished,
    /// A plate is to be made again.
    PlateRepeatOrdered,
    /// Every approved proposal has its fate.
    EveryProposalAccounted,
    Held,
    Resumed,
    Cancelled,
    Failed,
}

impl Event {
    pub const ALL: [Event; 12] = [
        Event::BatchProposed,
        Event::BatchApproved,
        Event::BatchRejected,
        Event::PlanCommitted,
        Event::PlanDiffered,
        Event::WorkFinished,
        Event::PlateRepeatOrdered,
        Event::EveryProposalAccounted,
        Event::Held,
        Event::Resumed,
        Event::Cancelled,
        Event::Failed,
    ];

    /// The name of its record.
    pub fn record(self) -> &'static str {
        match self {
            Event::BatchProposed => "RoundBatchProposed",
            Event::BatchApproved => "RoundBatchApproved",
            Event::BatchRejected => "RoundBatchRejected",
            Event::PlanCommitted => "RoundPlanCommitted",
            Event::PlanDiffered => "RoundPlanDiffered",
            Event::WorkFinished => "RoundWorkFinished",
            Event::PlateRepeatOrdered => "RoundPlateRepeatOrdered",
            Event::EveryProposalAccounted => "RoundClosed",
            Event::Held => "RoundHeld",
            Event::Resumed => "RoundResumed",
            Event::Cancelled => "RoundCancelled",
            Event::Failed => "RoundFailed",
        }
    }
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a round that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl State {
    /// Every state, for completeness tests.
    pub fn all() -> Vec<State> {
        Stage::ALL
            .into_iter()
            .map(State::In)
            .chain(Stage::ALL.into_iter().map(State::Held))
            .chain([State::Closed, State::Cancelled, State::Failed])
            .collect()
    }

    /// The word in the `state` column; `held` keeps its stage in `held_from`.
    pub fn as_str(self) -> &'static str {
        match self {
            State::In(stage) => stage.as_str(),
            State::Held(_) => "held",
            State::Closed => "closed",
            State::Cancelled => "cancelled",
            State::Failed => "failed",
        }
    }

    /// The state that the columns `state` and `held_from` say, if they say one.
    pub fn from_columns(state: &str, held_from: Option<&str>) -> Option<State> {
        State::all()
            .into_iter()
            .find(|candidate| candidate.as_str() == state && candidate.held_from() == held_from)
    }

    /// The stage it is in, or was held in.
    pub fn stage(self) -> Option<Stage> {
        match self {
            State::In(stage) | State::Held(stage) => Some(stage),
            State::Closed | State::Cancelled | State::Failed => None,
        }
    }

    /// What the `held_from` column holds.
    pub fn held_from(self) -> Option<&'static str> {
        match self {
            State::Held(stage) => Some(stage.as_str()),
            _ => None,
        }
    }

    pub fn is_terminal(self) -> bool {
        matches!(self, State::Closed | State::Cancelled | State::Failed)
    }

    /// The only way to a new state.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        use Event as E;
        use Stage as S;
        let next = match (self, event) {
            (State::In(S::Proposing), E::BatchProposed) => State::In(S::AwaitingApproval),
            (State::In(S::AwaitingApproval), E::BatchApproved) => State::In(S::Planning),
            (State::In(S::AwaitingApproval), E::BatchRejected) => State::In(S::Proposing),
            (State::In(S::Planning), E::PlanCommitted) => State::In(S::Executing),
            (State::In(S::Planning), E::PlanDiffered) => State::In(S::AwaitingApproval),
            (State::In(S::Executing), E::WorkFinished) => State::In(S::Assessing),
            (State::In(S::Executing | S::Assessing), E::PlateRepeatOrdered) => State::In(S::Executing),
            (State::In(S::Assessing), E::EveryProposalAccounted) => State::Closed,
            (State::In(stage), E::Held) => State::Held(stage),
            (State::Held(stage), E::Resumed) => State::In(stage),
            (State::In(_) | State::Held(_), E::Cancelled) => State::Cancelled,
            (State::In(_) | State::Held(_), E::Failed) => State::Failed,
            (state, event) => return Err(Rejected { state, event }),
        };
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{assert_over, table};

    #[test]
    fn the_whole_table_is_as_agreed() {
        insta::assert_snapshot!(table(&State::all(), &Event::ALL, State::next));
    }

    #[test]
    fn what_has_ended_takes_no_further_event() {
        assert_over(State::all().into_iter().filter(|state| state.is_terminal()), &Event::ALL, State::next);
    }

    #[test]
    fn each_column_word_reads_back_as_its_state() {
        for state in State::all() {
            assert_eq!(State::from_columns(state.as_str(), state.held_from()), Some(state));
        }
        assert_eq!(State::from_columns("held", None), None);
    }
}
