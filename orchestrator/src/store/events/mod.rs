//! The record: what happened, who did it and from where, in which order.
//!
//! [`append`] inserts unchained (a chained insert would be a global lock). The sealer ([`seal_batch`]) gives
//! committed events a gapless position and the chained hash; readers go by position alone ([`read_after`]):
//! going by `id > last` would lose late commits. [`examine`] finds what was changed, removed, reordered or cut off.

mod append;
mod canonical;
mod chain;
mod export;
mod origin;
mod read;
mod seal;
mod verify;

pub(super) use append::append_and_look;
pub use append::{EventId, NewEvent, append};
pub use chain::{Broken, Head, NotAHead, Noted, Walk};
pub use export::{Exported, export_after, nothing_slipped_in};
pub use origin::{Origin, cut, from, origin};
pub use read::{Look, Sealed, head, look, read_after, read_visible_after};
pub use seal::seal_batch;
pub use verify::{examine, verify};
