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
mod notify;
pub mod resource;
mod settle;

pub use create::{Created, Dependency, NewJob, Requires, create};
pub use notify::notify;
pub use settle::{Consequences, Ending};
