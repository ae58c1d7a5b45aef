//! From an approved batch to plates, transfers and steps, before anybody moves.
//!
//! [`plan`] is pure: the same input gives the same [`Plan`], byte for byte, as a draft while people decide and
//! once more on live inventory after approval. What cannot be carried out says so here ([`Impossible`]).
//!
//! ```text
//! experiments -> plates of their context (allocation) -> wells (layout) -> source wells (sourcing)
//!             -> deck loads (loads) -> moves, dispenses, incubation, read (chain) -> Plan
//! ```
//!
//! Deliberately absent: the clock, SQL, what the liquids do. Cost is told in the summary and decides nothing. [`recovery`] brings plates home when a chain broke.

pub mod impossible;
pub mod input;
pub mod outcome;
pub mod profile;
pub mod recovery;

mod allocation;
mod chain;
mod compose;
mod fitness;
mod layout;
mod loads;
mod sourcing;
mod summary;

#[cfg(test)]
mod proofs;

pub use compose::{experiments_per_plate, plan, whole_plates};
pub use impossible::{Impossible, Shortage};
pub use input::{
    BlankPlate, HandlerProfile, IncubatorProfile, Inventory, PlanInput, PlannedExperiment, ReaderProfile,
    SourceWell,
};
pub use outcome::{After, Draw, Plan, PlanSummary, PlannedPlate, PlannedWell, Requires, Role, Step};
pub use recovery::{Standing, StockRole, bring_home, clear_deck};
