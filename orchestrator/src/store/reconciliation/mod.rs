//! After a failover or a restore: robots tell what they did before any is given work again.
//!
//! ```text
//! another epoch answers -> open (whoever sees it first: upkeep, a lease, a report)
//!     each instrument seen lately: awaited -> reconciled (its agent has offered everything)
//!                                          -> excused    (a person says that nobody waits for it)
//! failed over, all answered, nothing lost  -> closed by itself
//! restored, or something was lost          -> closed by a person, when all have answered
//! ```
//!
//! The gate itself is in the statement that leases ([`super::jobs::lease`]): it asks for a closed reconciliation
//! of the life that answers it, so no process has to have noticed anything.
//!
//! Deliberately absent: what a report does in a life that does not know it ([`super::jobs::report`]).

mod close;
mod losses;
mod open;
mod party;
mod read;

pub use close::{Closed, close, close_if_nothing_was_lost};
pub use losses::{Loss, count};
pub use open::{Because, TASK, ask_for_a_person, observe};
pub use party::{Answered, Excused, excuse, reconciled};
pub use read::{Gate, Party, PartyState, Standing, gate, is_overdue, standing};
