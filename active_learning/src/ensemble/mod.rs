//! The neural virtual cell: many small networks, trained side by side as one batched network.
//!
//! ```text
//! blocks --encoder--> z_b --precision-weighted fusion--> z --> e       one embedding an edit
//! {e_1 .. e_k} --manipulator--> sum e_i + low-rank sum over pairs      order cannot matter
//!              --context--> shifted and scaled --heads--> mean, log-variance, log-odds of a hit
//! features ---------------- wide, ridge-penalised path ----^           (additive over edits)
//! ```
//!
//! The encoders were learnt before, from all features and from other screens ([`pretraining`]), and all members start
//! near them. Members differ by their start, to which a Gaussian prior anchors them (Pearce et al. 2020, anchored
//! ensembling, without noise on the wide path), and by the weight each gives to each row (Bayesian
//! bootstrap, Rubin 1981). The spread of their means is the epistemic part, the mean of their noise the
//! aleatoric. Further members are trained with one fold each left out; they only serve calibration.
//!
//! A single network holds one opinion: it weighs all rows alike and has no epistemic part (but for what is new to it,
//! [`novelty`](crate::novelty)); what needs members to disagree cannot be asked of it.

pub mod adam;
pub mod encoder;
pub mod heads;
pub mod layout;
pub mod manipulator;
mod network;
mod predict;
pub mod pretraining;
mod training;

pub use network::{Ensemble, Shape};
pub(crate) use training::fit;
