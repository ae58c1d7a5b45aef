//! The life of a job: one pure function from state and event to state.
//!
//! ```text
//! waiting -> ready -> leased -> running -> succeeded | failed | cancelled
//!            leased | running -> stopping -> cancelled | succeeded | in_doubt
//!                        running -> in_doubt -> succeeded | failed | plate_lost
//!   waiting | ready | leased -> in_doubt             (done in a life of the database that was lost)
//! ```
//!
//! The orchestrator's tables mirror it; a test snapshots the whole state x event table.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobState)]
pub enum State {
    /// For dependencies, or for its time.
    Waiting,
    /// Whoever has the capability may lease it.
    Ready,
    /// Somebody has authority over it; nothing has moved.
    Leased,
    /// The worker said that it begins.
    Running,
    /// Asked to stop; the worker has not confirmed.
    Stopping,
    /// Begun, and nobody knows how it ended.
    InDoubt,
    Succeeded,
    Failed,
    Cancelled,
    /// A person said that the plate cannot be used; it is made again as a new generation.
    PlateLost,
}

/// What can happen to a job. `repeatable` is a property of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Dependencies met and its time has come.
    BecameReady,
    /// A dependency can never be met, or its deadline passed before it began.
    BecameImpossible,
    Leased,
    /// The worker is about to begin.
    Started,
    /// The worker gives it back before it began.
    Released,
    /// The lease ran out.
    LeaseExpired {
        repeatable: bool,
    },
    /// Somebody asked to stop it.
    StopRequested,
    ReportedSucceeded,
    /// `retry`: transient, attempts left, and nothing physical happened.
    ReportedFailed {
        retry: bool,
    },
    ReportedStopped,
    ReportedUnknown,
    /// A worker reports under a lease that a lost life of the database had given: something was done, and not for
    /// what is recorded here.
    ReportedFromLostLife,
    /// A person looked and says that it was done.
    ResolvedDone,
    /// A person looked and says that it was not done.
    ResolvedNotDone,
    /// A person looked and says that the plate is lost.
    ResolvedPlateLost,
}

/// The event does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {state:?} does not take {event:?}")]
pub struct Rejected {
    pub state: State,
    pub event: Event,
}

impl State {
    pub const ALL: [State; 10] = [
        State::Waiting,
        State::Ready,
        State::Leased,
        State::Running,
        State::Stopping,
        State::InDoubt,
        State::Succeeded,
        State::Failed,
        State::Cancelled,
        State::PlateLost,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Ready => "ready",
            State::Leased => "leased",
            State::Running => "running",
            State::Stopping => "stopping",
            State::InDoubt => "in_doubt",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::PlateLost => "plate_lost",
        }
    }

    /// Nothing can happen to it any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Cancelled | State::PlateLost)
    }

    /// A worker holds it.
    pub fn is_held(self) -> bool {
        matches!(self, State::Leased | State::Running | State::Stopping)
    }

    /// The only way to a new state.
    ///
    /// A report for a job that is `Ready` again or `InDoubt` is a late one: the caller has made sure that it
    /// carries the last token and that the job was not leased since.
    pub fn next(self, event: Event) -> Result<State, Rejected> {
        use Event as E;
        use State as S;
        let next = match (self, event) {
            (S::Waiting, E::BecameReady) => S::Ready,
            (S::Waiting | S::Ready, E::BecameImpossible) => S::Failed,
            (S::Waiting | S::Ready, E::StopRequested) => S::Cancelled,
            (S::Ready, E::Leased) => S::Leased,
            (S::Leased, E::Started) => S::Running,
            (S::Leased, E::Released) => S::Ready,
            (S::Leased, E::LeaseExpired { .. }) => S::Ready,
            (S::Running, E::LeaseExpired { repeatable: true }) => S::Ready,
            (S::Running, E::LeaseExpired { repeatable: false }) => S::InDoubt,
            (S::Stopping, E::LeaseExpired { repeatable: true }) => S::Cancelled,
            (S::Stopping, E::LeaseExpired { repeatable: false }) => S::InDoubt,
            (S::Leased | S::Running, E::StopRequested) => S::Stopping,
            (S::Stopping, E::StopRequested) => S::Stopping,
            (S::Stopping, E::Released) => S::Cancelled,
            (S::Leased | S::Running, E::ReportedFailed { retry: true }) => S::Ready,
            (S::Leased | S::Running, E::ReportedFailed { retry: false }) => S::Failed,
            (S::Stopping, E::ReportedFailed { .. }) => S::Failed,
            (S::Running | S::Stopping, E::ReportedSucceeded) => S::Succeeded,
            (S::Leased | S::Running | S::Stopping, E::ReportedStopped) => S::Cancelled,
            (S::Running | S::Stopping, E::ReportedUnknown) => S::InDoubt,
            (S::Ready | S::InDoubt, E::ReportedSucceeded) => S::Succeeded,
            (S::InDoubt, E::ReportedFailed { .. }) => S::Failed,
            (S::InDoubt, E::ReportedStopped) => S::Cancelled,
            (S::InDoubt, E::ReportedUnknown) => S::InDoubt,
            (S::Waiting | S::Ready | S::Leased | S::InDoubt, E::ReportedFromLostLife) => S::InDoubt,
            (S::InDoubt, E::ResolvedDone) => S::Succeeded,
            (S::InDoubt, E::ResolvedNotDone) => S::Failed,
            (S::InDoubt, E::ResolvedPlateLost) => S::PlateLost,
            (state, event) => return Err(Rejected { state, event }),
        };
        Ok(next)
    }
}
