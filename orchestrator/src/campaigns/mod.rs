//! What a campaign says: goal, design space, assay, controls, budget, calendar, policy.
//!
//! The file's types ([`spec`]), its reading with every problem named by line ([`Spec::parse`], [`problem`]), the
//! files it names ([`resolve`]) and the design space it spans ([`design`]); who must approve ([`policy`]) and what a
//! batch costs ([`cost`]); a file looked at before anything is made of it ([`check`]).

pub mod as_prior;
pub mod check;
pub mod control;
pub mod cost;
pub mod create;
pub mod design;
pub mod learning_curve;
pub mod membership;
pub mod next_ticks;
pub mod outlook;
pub mod policy;
pub mod prior_screens;
pub mod problem;
pub mod random_choice;
pub mod readout;
pub mod research_crate;
pub mod resolve;
pub mod schedule;
pub mod spec;
pub mod start_round;
pub mod state;

mod document;
mod parse;
mod validate;
mod validate_approval;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod examples;

pub use design::{DesignError, Pool};
pub use parse::problem_in;
pub use problem::{Problem, SpecError};
pub use resolve::{NamedFile, NamedFiles, ResolveError};
pub use spec::Spec;
