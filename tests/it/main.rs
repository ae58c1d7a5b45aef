//! The whole system, in real processes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod arrows;
mod clocks;
mod clusters;
mod demo;
mod failover;
mod faults;
mod kills;
mod matrix;
mod restore;
mod rolling;
mod simulate;
mod steps;
mod stop;
