//! How the commands on batches are refused.

use crate::api::problem::Problem;
use crate::batches::State as BatchState;

pub(super) fn not_awaiting(state: BatchState) -> Problem {
    let detail =
        format!("The batch is {}: only one that awaits approval can be edited or decided.", state.as_str());
    Problem::conflict("batch.not_awaiting_approval", detail)
}

pub(super) fn round_held() -> Problem {
    Problem::conflict("round.held", "Its round is held: look why, resume the round, then repeat.")
}
