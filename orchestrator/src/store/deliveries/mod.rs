//! Deliveries: made in the transaction of their notification, claimed by any process for a while, tried until
//! they are taken or given up.
//!
//! Invariants: an ending counts only under the claim it was made with; a claim whose process was killed
//! returns when it expires; each attempt has its row before anything is sent.

mod claim;
mod make;
mod read;

pub use claim::{Claimed, Ending, claim, end};
pub use make::{cancel_for_channel, cancel_untold, make, order_again, prune};
pub use read::{Attempt, Delivery, attempts, get, list};
