//! Assay plates and their judgement.

pub mod state;

pub use state::{Event, State};
