//! What a campaign says: goal, design space, assay, controls, budget, calendar, policy.

pub mod spec;

pub use spec::Spec;
