//! The queue: one command per file. Where a job is in its life is which narrow table holds it
//! (`migrations/0002_jobs.sql`); each command moves it from one to the next and answers with what happened.
//!
//! - [`::jobs::state::State::next`] is the arbiter; the statements mirror it, and a conformance suite holds
//!   them together.
//! - Fences match `(job_id, lease_token)` and nothing else. Leases run by the database's real time.
//! - Locks are taken in one order: the narrow row first, then the job's row, then the rows of those that
//!   depend on it.
//! - Commands answer which queues got work and whether anything settled ([`Consequences`]); after the commit
//!   the caller passes that to [`crate::queue::Wakeups::after`].
//!
//! Deliberately absent: consequences for rounds and plates (the engine draws them from `settlement`).

mod create;
mod dependents;
mod enter;
pub mod resource;
mod settle;

mod heartbeat;
mod held;
mod lease;
mod release;
mod start;

mod another_life;
pub mod by_hand;
mod doubt;
mod lost;
mod orphan;
mod report;
mod successes;
mod verdict;

mod promote;
mod reap;
mod resolve;
mod stop;
mod take_back;

mod detail;
mod known;
mod notify;
mod read;

pub use another_life::end_leases_of_another_life;
pub use create::{Created, Dependency, NewJob, Requires, create, create_all};
pub use detail::{Detail, get};
pub use doubt::TASK as IN_DOUBT_TASK;
pub use heartbeat::heartbeat;
pub use held::Authority;
pub use known::{Choice, Doubt, DoubtfulTransfer};
pub use lease::{Leased, Place, Wanted, lease, lease_from, on_offer};
pub use notify::notify;
pub use orphan::ORPHAN_TASK;
pub use promote::promote;
pub use read::{Filter, Summary, campaign_of, list, lock_state, state_of, unanswered};
pub use reap::reap;
pub use release::{Released, release};
pub use report::{CONTRADICTION_TASK, NEEDS_PERSON_TASK, Reported, report};
pub use resolve::{Resolution, Resolved, reported_output, resolve};
pub use settle::{Consequences, Ending};
pub use start::{start, start_all};
pub use stop::{RoundStopped, Stopped, ask, stop, stop_round};
pub use successes::{Success, Taken, report_successes};
pub use take_back::{take_back, take_back_barred};
