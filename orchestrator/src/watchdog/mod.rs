//! Nothing hangs unnoticed: every wait has an owner and a deadline ([`waits`]), and why something does not move is said
//! in words ([`job`], [`round`]). Pure; the facts are read by [`crate::store::watchdog`], what is past its deadline is
//! a standstill ([`standstill`]).

pub mod job;
pub mod reason;
pub mod round;
pub mod standstill;
pub mod waits;

pub use reason::{Owner, Reason};
