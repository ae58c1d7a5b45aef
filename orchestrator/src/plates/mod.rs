//! Assay plates and their judgement.

pub mod allotrope;
pub mod decide;
pub mod state;

pub use state::{Event, State};
