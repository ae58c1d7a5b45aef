//! Replays a measured screen: the measuring instrument for everything in this crate.
//!
//! The learner is given what it asked for and nothing else; [`oracle`] holds the rest. Protocol: Bio-
//! DiscoveryAgent (arXiv 2405.17631), rounds of equal batches, figure: hits found over all hits.

pub mod oracle;
pub mod run;

pub use oracle::Oracle;
pub use run::{Replay, Report};
