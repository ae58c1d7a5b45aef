//! Further readouts: heads that are trained beside the one a campaign is about, on the same columns.
//!
//! | head | model | source |
//! |---|---|---|
//! | [`values`] | continuous, or a vector by low rank; one Bayesian regression a direction, replicate-aware | Bishop 2006, 3.5; Tipping & Bishop 1999 |
//! | [`ordinal`] | proportional odds | McCullagh 1980 |
//! | [`class`] | multinomial logistic regression | Böhning 1992 |
//! | [`feasibility`] | probability that a constraint holds | Gardner et al. 2014 |
//!
//! Each readout has rows of its own: what was not measured of an experiment is not missed. All heads are additive in
//! the edits. The heads of labels are at the mode of their posterior: they hold one opinion.

pub mod class;
pub mod feasibility;
mod head;
pub mod ordinal;
mod rows;
pub mod values;

pub use head::{Described, Head, Learnt, fit, predict};
pub use jobs::work::readout::joint;
