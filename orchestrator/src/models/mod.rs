//! Model versions, the gate between a trained model and the loop, and what people ask of them.

pub mod gate;
pub mod interval;
pub mod note;
pub mod predict;
pub mod question;
pub mod screen;
pub mod state;

pub use state::State;
