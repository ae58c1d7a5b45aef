//! What planning is given: the batch, what stands in the laboratory, what the devices hold.

use crate::campaigns::Spec;
use crate::ids::ProposalId;
use instruments::labware::Well;
use jobs::Experiment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Everything that a plan depends on.
#[derive(Clone, Debug)]
pub struct PlanInput<'a> {
    pub spec: &'a Spec,
    /// In any order: planning sorts them.
    pub experiments: &'a [PlannedExperiment],
    /// All randomness of the layout derives from it.
    pub layout_seed: u64,
    /// Of the plates: 1, and one more for each time they are made again.
    pub generation: u32,
    /// The first plate's number in its batch; 1 for a whole batch, the lost plate's own for a repeat.
    pub first_ordinal: u32,
    pub inventory: &'a Inventory,
    pub handler: &'a HandlerProfile,
    /// With the slots that are free now; those of live plates are left out by the caller.
    pub incubator: &'a IncubatorProfile,
    pub reader: &'a ReaderProfile,
}

/// One approved experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedExperiment {
    pub proposal: ProposalId,
    pub experiment: Experiment,
}

/// What stands in storage and may be used. Every plate named here is in `storage` (or will be once the
/// chain that uses it now is over): moves begin there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Source wells by content (a gene's guide, a control).
    pub sources: BTreeMap<String, Vec<SourceWell>>,
    /// Assay plates with cells, not yet used.
    pub blanks: Vec<BlankPlate>,
}

/// A well of a library plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceWell {
    pub barcode: String,
    /// By load name.
    pub labware: String,
    pub well: Well,
    /// What is in it and not reserved. Gross: planning leaves what [`Labware::drawable_nl`](instruments::labware::Labware::drawable_nl) does in the well.
    pub available_nl: u64,
}

/// An assay plate with cells of one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlankPlate {
    pub barcode: String,
    /// By load name.
    pub labware: String,
    pub context: String,
}

/// Deck of a liquid handler: the `profile` of its instrument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HandlerProfile {
    pub destination_slot: String,
    pub source_slots: Vec<String>,
    pub tip_rack_slots: Vec<String>,
    /// Each transfer takes a new tip.
    pub tips_per_rack: u32,
    /// Each run takes its tips from the first on, and nobody but people puts new racks on the deck (an OT-2): they are asked
    /// to before each run.
    #[serde(default)]
    pub new_tips_by_hand: bool,
    /// Smallest volume that its pipette draws; absent: not known, not checked.
    #[serde(default)]
    pub minimum_transfer_nl: Option<u32>,
    /// Largest volume that one tip holds; absent: not known, not checked.
    #[serde(default)]
    pub maximum_transfer_nl: Option<u32>,
    /// Measured by its owner; absent: transfers count as nothing in the estimate of hours.
    #[serde(default)]
    pub seconds_per_transfer: Option<f64>,
}

impl HandlerProfile {
    /// Transfers that one run can make.
    pub fn tips_per_run(&self) -> usize {
        self.tip_rack_slots.len().saturating_mul(usize::try_from(self.tips_per_rack).unwrap_or(usize::MAX))
    }
}

/// Slots of an incubator: the `profile` of its instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncubatorProfile {
    pub slots: Vec<String>,
    /// It has no agent: people say that a plate stands in it.
    #[serde(default)]
    pub by_hand: bool,
}

/// Slots of a plate reader: the `profile` of its instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReaderProfile {
    pub slots: Vec<String>,
}
