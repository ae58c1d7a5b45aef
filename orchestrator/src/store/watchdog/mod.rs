//! What the watchdog is told: the facts about jobs, rounds and campaigns, and what has waited how long.

mod campaign;
mod job;
mod round;
mod standing;

pub use campaign::{campaign, campaigns};
pub use job::{job, jobs};
pub use round::{round, rounds};
pub use standing::{Known, forget, known, notice, waits};
