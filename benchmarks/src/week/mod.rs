//! `make bench-load`: a real week at a hundred times the yardstick. 100,000 designs in 50 campaigns, 500 instruments,
//! as fast as this machine can: every design meets its fate, and it is said what saturates first.
//!
//! Each campaign has a bench of four devices of its own; the agents of all other instruments wait for work and orders
//! beside them, as in a laboratory where not everything runs.

mod checks;
mod progress;
mod report;
pub mod run;
