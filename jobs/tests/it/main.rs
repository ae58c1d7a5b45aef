//! The contract as its two sides see it: words, states, and a worker between a misbehaving server and a kill.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic, also in what its cases share")]

mod client;
mod faults;
mod full_disk;
mod kills;
mod life;
mod python_agent;
mod reconciliation;
mod samples;
mod server;
mod spool;
mod state_table;
mod wire_snapshots;
mod worker;
