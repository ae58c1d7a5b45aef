//! The contract as its two sides see it: words, states, and a worker between a misbehaving server and a kill.

mod client;
mod faults;
mod kills;
mod life;
mod python_agent;
mod samples;
mod server;
mod spool;
mod state_table;
mod wire_snapshots;
mod worker;
