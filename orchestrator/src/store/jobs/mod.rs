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
pub mod resource;
mod settle;

mod heartbeat;
mod held;
mod lease;
mod release;
mod start;

mod doubt;
mod report;
mod verdict;

mod promote;
mod reap;
mod resolve;
mod stop;

mod detail;
mod notify;
mod read;

pub use create::{Created, Dependency, NewJob, Requires, create};
pub use detail::{Detail, get};
pub use doubt::TASK as IN_DOUBT_TASK;
pub use heartbeat::heartbeat;
pub use held::Authority;
pub use lease::{Leased, Wanted, lease, on_offer};
pub use notify::notify;
pub use promote::promote;
pub use read::{Filter, Summary, list, state_of};
pub use reap::reap;
pub use release::{Released, release};
pub use report::{CONTRADICTION_TASK, NEEDS_PERSON_TASK, Reported, report};
pub use resolve::{Resolution, Resolved, resolve};
pub use settle::{Consequences, Ending};
pub use start::start;
pub use stop::{RoundStopped, Stopped, stop, stop_round};
