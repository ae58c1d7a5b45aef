//! The virtual cell, its uncertainty, acquisition, and the replay that measures them.
//!
//! Reading order: tables come in ([`data`], [`prior`]), edits become vectors ([`representation`]), a
//! [`model`] family ([`linear`], [`sets`], [`ensemble`]) is trained on the data cut and calibrated on held-out folds
//! ([`train`], [`calibration`], [`metrics`]), doubts what it has no input for (`novelty`), learns
//! further readouts beside it ([`readouts`]), is kept as bytes ([`checkpoint`]), and chooses the next batch
//! ([`acquisition`], [`propose`]), or ranks a whole space ([`screen`]). [`replay`] plays measured screens against all of
//! it; [`worker`] answers
//! jobs with it.
//!
//! Where tensors are computed, CPU or GPU, is [`device`]'s to say. Deliberately absent: wells, plates, SQL. All randomness comes from the seed a job carries; libtorch's
//! own generator is never used, so jobs running side by side cannot disturb each other.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on fails"))]

pub mod acquisition;
pub mod alone;
pub mod calibration;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod ensemble;
mod error;
mod grounds;
mod line;
pub mod linear;
pub mod metrics;
mod minimise;
pub mod model;
mod novelty;
pub mod prior;
pub mod propose;
pub mod readouts;
pub mod replay;
pub mod representation;
pub mod screen;
mod seed;
pub mod sets;
pub mod shadow;
mod stretch;
mod tensor;
mod threads;
pub mod train;
pub mod worker;

pub use error::{Error, Result};

/// Version written into results, so that a number can be followed back to the code that made it.
pub const CODE_VERSION: &str = concat!("active_learning/", env!("CARGO_PKG_VERSION"));
