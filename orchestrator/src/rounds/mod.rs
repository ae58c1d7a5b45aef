//! One turn of the loop.
//!
//! How it begins ([`begin`]), its states ([`state`]), what people may order ([`control`]), and the pure parts of what the engine does
//! with it: seeds, the data cut, the posterior's table, the summary.

pub mod begin;
pub mod control;
pub mod data_cut;
pub mod pooled;
pub mod posterior;
pub mod progress;
pub mod seed;
pub mod spent;
pub mod state;
pub mod summary;

pub use progress::{Progress, progress};
pub use state::{Event, State};
