//! The tables a learner job travels with: pool, data cut, features, posterior. Formats are fixed in
//! [`jobs::work::learn`]; this module parses them once into types that are the proof.

pub mod cut;
pub mod features;
pub mod pool;
pub mod posterior;
pub mod table;

pub use cut::{Cut, FurtherValue, Observation};
pub use features::{Block, FeatureTable};
