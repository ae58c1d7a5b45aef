//! What the plan of a waiting batch would be: for the approver's eyes, and for the frozen hash.

use crate::planning::{Impossible, Plan, PlanSummary};
use jobs::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The draft plan of one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "plan", rename_all = "snake_case")]
pub enum Draft {
    /// It can be carried out.
    Possible {
        digest: Digest,
        summary: PlanSummary,
        plates: Vec<DraftPlate>,
        /// The approved plan, when the live inventory asked for another one.
        differs_from: Option<Box<Difference>>,
    },
    /// It cannot, and why.
    Impossible { code: String, reason: String },
}

/// One plate to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DraftPlate {
    pub ordinal: u32,
    pub barcode: String,
    pub labware: String,
    pub context: String,
    pub wells: u32,
}

/// What was approved before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    pub digest: Digest,
    pub summary: PlanSummary,
    pub plates: Vec<DraftPlate>,
}

impl Draft {
    /// What planning answered.
    pub fn of(planned: &Result<Plan, Impossible>) -> Self {
        match planned {
            Ok(plan) => Draft::Possible {
                digest: plan.digest(),
                summary: plan.summary.clone(),
                plates: plan.plates.iter().map(DraftPlate::of).collect(),
                differs_from: None,
            },
            Err(impossible) => {
                Draft::Impossible { code: impossible.code().to_owned(), reason: impossible.to_string() }
            }
        }
    }

    /// The plan's digest, when there is a plan.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Draft::Possible { digest, .. } => Some(*digest),
            Draft::Impossible { .. } => None,
        }
    }

    /// The same, beside the plan that was approved before.
    pub fn beside(self, approved: Option<Draft>) -> Self {
        let before = match approved {
            Some(Draft::Possible { digest, summary, plates, .. }) => {
                Some(Box::new(Difference { digest, summary, plates }))
            }
            Some(Draft::Impossible { .. }) | None => None,
        };
        match self {
            Draft::Possible { digest, summary, plates, .. } => {
                Draft::Possible { digest, summary, plates, differs_from: before }
            }
            impossible @ Draft::Impossible { .. } => impossible,
        }
    }
}

impl DraftPlate {
    fn of(plate: &crate::planning::PlannedPlate) -> Self {
        Self {
            ordinal: plate.ordinal,
            barcode: plate.barcode.clone(),
            labware: plate.labware.clone(),
            context: plate.context.clone(),
            wells: u32::try_from(plate.wells.len()).unwrap_or(u32::MAX),
        }
    }
}
