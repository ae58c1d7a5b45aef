//! Drivers against devices: one conformance suite over all of them, and peers where there are any.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bed;
mod bench;
mod conformance;
mod fake;
mod folder;
mod opentrons;
mod peer;
