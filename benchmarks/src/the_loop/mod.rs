//! `make bench-loop`: what the loop costs beside devices and learners, and what the processes cost at rest.
//!
//! Real binaries, real campaigns, the worker loop of every agent; devices and learners answer at once
//! ([`crate::laboratory`]). What each figure counts stands in its module.

pub mod footprint;
pub mod idle;
pub mod orchestration;
pub mod report;
pub mod run;
pub mod start;
pub mod turnaround;
