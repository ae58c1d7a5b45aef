//! Drivers against devices: one conformance suite over all of them, and peers where there are any.

mod bed;
mod bench;
mod conformance;
mod fake;
mod opentrons;
mod peer;
