//! What the watchdog is told: the facts about one job, round or campaign, and what has waited how long.

mod campaign;
mod job;
mod round;
mod standing;

pub use campaign::campaign;
pub use job::job;
pub use round::round;
pub use standing::{Known, forget, known, notice, waits};
