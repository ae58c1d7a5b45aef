//! The record: what happened, who did it, in which order.
//!
//! [`append`] inserts unchained (a chained insert would be a global lock). The sealer ([`seal_batch`]) gives
//! committed events a gapless position and the chained hash; readers go by position alone ([`read_after`]):
//! going by `id > last` would lose late commits.

mod append;
mod canonical;
mod read;
mod seal;

pub use append::{EventId, NewEvent, append};
pub use read::{Sealed, head, read_after, read_visible_after, verify};
pub use seal::seal_batch;
