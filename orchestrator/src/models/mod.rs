//! Model versions and the gate between a trained model and the loop.

pub mod gate;
pub mod predict;
pub mod state;

pub use state::State;
