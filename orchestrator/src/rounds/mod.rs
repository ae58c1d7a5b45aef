//! One turn of the loop.

pub mod state;

pub use state::{Event, State};
