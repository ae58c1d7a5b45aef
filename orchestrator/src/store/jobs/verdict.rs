//! What a report means for a job: pure.

use ::jobs::FailureClass;
use ::jobs::state::{Event, Rejected, State};
use ::jobs::work::Outcome;

/// What is known of the job when a report comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub state: State,
    pub repeatable: bool,
    /// The worker had said that it begins.
    pub began: bool,
    pub attempts_left: bool,
}

/// Where the report takes the job.
///
/// Success (or not knowing) reported for a job whose start we never heard of says that it had begun: the
/// start was lost on the way, the testimony was not.
pub(super) fn of_report(case: Case, outcome: &Outcome) -> Result<State, Rejected> {
    let event = event(case, outcome);
    match (case.state, event) {
        (State::Leased, Event::ReportedSucceeded | Event::ReportedUnknown) => {
            case.state.next(Event::Started)?.next(event)
        }
        (state, event) => state.next(event),
    }
}

fn event(case: Case, outcome: &Outcome) -> Event {
    match outcome {
        Outcome::Succeeded { .. } => Event::ReportedSucceeded,
        Outcome::Stopped { .. } => Event::ReportedStopped,
        Outcome::Unknown { .. } => Event::ReportedUnknown,
        Outcome::Failed { failure } => Event::ReportedFailed {
            retry: failure.class == FailureClass::Transient
                && case.attempts_left
                && (case.repeatable || !case.began),
        },
    }
}

/// The terminal state that a report claims, were it decided by it alone.
pub(super) fn claimed(outcome: &Outcome) -> State {
    match outcome {
        Outcome::Succeeded { .. } => State::Succeeded,
        Outcome::Failed { .. } => State::Failed,
        Outcome::Stopped { .. } => State::Cancelled,
        Outcome::Unknown { .. } => State::InDoubt,
    }
}
