//! Replays a measured screen: the measuring instrument for everything in this crate.
//!
//! The learner is given what it asked for and nothing else; [`oracle`] holds the rest. Protocol: Bio-
//! DiscoveryAgent (arXiv 2405.17631), rounds of equal batches, figure: hits found over all hits. A [`report`]
//! also says how well the uncertainty kept its promises ([`score`]).

pub mod ceiling;
pub mod oracle;
pub mod plot;
pub mod report;
pub mod run;
mod score;

pub use oracle::Oracle;
pub use report::{Report, Round};
pub use run::Replay;
