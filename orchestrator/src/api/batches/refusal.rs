//! How the commands on batches are refused.

use crate::api::problem::Problem;
use crate::batches::State as BatchState;
use crate::batches::gate::Closed;

pub(super) fn not_awaiting(state: BatchState) -> Problem {
    let detail =
        format!("The batch is {}: only one that awaits approval can be edited or decided.", state.as_str());
    Problem::conflict("batch.not_awaiting_approval", detail)
}

pub(super) fn cannot_be_planned(reason: &str) -> Problem {
    let reason = reason.trim_end_matches('.');
    let detail =
        format!("It cannot be carried out as it stands: {reason}. Edit it, or bring what is missing.");
    Problem::conflict("batch.cannot_be_planned", detail)
}

/// Why an approval is not taken.
pub(super) fn closed(closed: Closed) -> Problem {
    let detail = format!("You cannot approve it: {closed}.");
    match closed {
        Closed::Decided(state) => not_awaiting(state),
        Closed::RoundHeld => round_held(),
        Closed::CannotBePlanned { reason } => cannot_be_planned(&reason),
        Closed::NotDrafted => Problem::conflict("batch.not_drafted", detail),
        Closed::TimeOver { .. } => Problem::conflict("approval.expired", detail),
        Closed::OwnEdit => Problem::conflict("batch.self_approval", detail),
        Closed::NoRole { .. } | Closed::NotByPolicy => Problem::conflict("batch.role_missing", detail),
        Closed::SpokenAlready => Problem::conflict("batch.verdict_given", detail),
    }
}

pub(super) fn round_held() -> Problem {
    Problem::conflict("round.held", "Its round is held: look why, resume the round, then repeat.")
}
