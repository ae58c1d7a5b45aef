//! What one plate says of each proposal.

use crate::ids::ProposalId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One proposal, over its usable wells of one plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Observed {
    pub proposal: ProposalId,
    /// Mean of the replicates, normalised (negative control 0, positive control 1).
    pub value: f64,
    /// Standard error of that mean; `None` with one replicate.
    pub sem: Option<f64>,
    /// Wells it rests on.
    pub replicates: u32,
    /// By the campaign's rule; `None` when its channel was not read.
    pub hit: Option<bool>,
}
