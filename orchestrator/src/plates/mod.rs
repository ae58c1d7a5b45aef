//! Assay plates and their judgement.

pub mod decide;
pub mod state;

pub use state::{Event, State};
