//! Plates, liquids, protocols; compilers to what devices accept; drivers; parsers of what devices return.
//!
//! [`labware`] is what everything else speaks of. Knows wells, volumes and readings, and no biology.

pub mod labware;
