//! Plates, liquids, protocols; compilers to what devices accept; drivers; parsers of what devices return.
//!
//! [`labware`] is what everything else speaks of. [`transfers`] puts a list of transfers into a
//! device's words, [`protocols`] are what a device is made to run, [`drivers`] make it, [`parsers`] read what
//! it returns.
//! Knows wells, volumes and readings, and no biology.

pub mod drivers;
pub mod labware;
pub mod parsers;
pub mod protocols;
pub mod transfers;

/// For `bench`, which has no other way to the contract.
pub use jobs::{crash, steps};
