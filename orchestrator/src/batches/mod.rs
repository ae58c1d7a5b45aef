//! What one round asks for, and the gate of approval.

pub mod draft;
pub mod state;

pub use state::{Event, State};
