//! Experiments in batches: chosen, kept in reserve, removed; and what became of them.

mod campaign;
mod proposal;
mod read;
mod write;

pub use campaign::{answered, asked_for, excluded, in_live_batches, pending, repeatable};
pub use proposal::{Fate, Origin, Proposal, Status};
pub use read::{by_id, of_batch, predictions, selected};
pub use write::{await_prediction, edit, insert, predicted, set_fates};

pub(super) use proposal::experiment;
