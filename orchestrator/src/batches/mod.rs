//! What one round asks for, and the gate of approval.

pub mod state;

pub use state::{Event, State};
