//! The one entry: input to plan.

use super::impossible::Impossible;
use super::input::PlanInput;
use super::outcome::Plan;

/// Plates, transfers and steps for a batch; pure and deterministic.
pub fn plan(input: &PlanInput) -> Result<Plan, Impossible> {
    todo!("{input:?}")
}
