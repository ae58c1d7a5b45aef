//! What the queue keeps in memory: who waits for work, and how they are woken.
//!
//! Nothing here is the truth: every loop works with every wake-up lost, by looking again each second.

mod leaser;
mod orders;
mod reporter;
mod signs;
mod starter;
mod starts;
mod together;
pub mod upkeep;
mod wakeups;

pub use leaser::{Error, Granted, Leaser};
pub use orders::{OrderBook, Watching};
pub use reporter::Reporter;
pub use signs::Signs;
pub use starter::Starter;
pub use wakeups::Wakeups;
