//! What planning decides: the plates, what goes into which well, and the steps that make it so.

use crate::campaigns::cost::Money;
use crate::ids::ProposalId;
use instruments::labware::Well;
use jobs::{Digest, Work};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A batch, ready to be carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Of every plate in it.
    pub generation: u32,
    /// In order of ordinal.
    pub plates: Vec<PlannedPlate>,
    /// Plate by plate, each plate's in the order of its chain. `After::step` is an index into it and always
    /// points backwards.
    pub steps: Vec<Step>,
    pub summary: PlanSummary,
}

/// One assay plate and its map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedPlate {
    pub ordinal: u32,
    /// The blank plate it is made from.
    pub barcode: String,
    pub labware: String,
    pub context: String,
    /// The plate map, row by row; empty wells are left out.
    pub wells: Vec<PlannedWell>,
    /// What is drawn for this plate, summed per source well: the reservations.
    pub draws: Vec<Draw>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedWell {
    #[schema(value_type = String, example = "C7")]
    pub well: Well,
    pub role: Role,
    /// For samples only.
    pub proposal: Option<ProposalId>,
    /// From 1, per proposal; per control: from 1 over the plate.
    pub replicate: u32,
    /// What is dispensed into it: the edits of the perturbation, or the control.
    pub contents: Vec<String>,
}

/// What a well is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WellRole)]
pub enum Role {
    Sample,
    NegativeControl,
    PositiveControl,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Sample, Role::NegativeControl, Role::PositiveControl];

    /// The word in the `role` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Sample => "sample",
            Role::NegativeControl => "negative_control",
            Role::PositiveControl => "positive_control",
        }
    }

    /// The role that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Liquid taken from one source well for one plate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Draw {
    pub source_barcode: String,
    #[schema(value_type = String, example = "C7")]
    pub source_well: Well,
    pub volume_nl: u64,
}

/// One job to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    pub plate_ordinal: u32,
    pub work: Work,
    /// The instrument it is addressed to; none where people need none.
    pub instrument: Option<String>,
    /// People do it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_hand: bool,
    /// A place that one chain at a time may use (`deck:handler-1`, `reader:reader-1`).
    pub resource: Option<String>,
    pub after: Vec<After>,
    /// Nothing in this plan uses `resource` before it: whoever makes the jobs adds a dependency
    /// (`requires: end`) on the last live job that names the resource, if there is one.
    pub first_on_resource: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct After {
    /// Index into [`Plan::steps`].
    pub step: usize,
    pub requires: Requires,
    /// Laboratory hours after that step ended, before which this one must not begin.
    pub min_delay_hours: f64,
    /// Laboratory hours after that step ended, by which this one must begin.
    pub max_delay_hours: Option<f64>,
}

/// How the step before must have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requires {
    Success,
    /// However.
    End,
}

impl Requires {
    /// The word in the `requires` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Requires::Success => "success",
            Requires::End => "end",
        }
    }
}

/// The plan in numbers, for the approver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanSummary {
    pub experiments: u32,
    pub plates: u32,
    pub wells_used: u32,
    pub sample_wells: u32,
    pub control_wells: u32,
    pub transfers: u32,
    /// One a transfer.
    pub tips: u32,
    pub deck_loads: u32,
    /// Library plates touched.
    pub source_plates: u32,
    pub plate_moves: u32,
    /// Steps that wait for hands.
    #[serde(default)]
    pub steps_by_hand: u32,
    pub volume_nl: u64,
    /// Drawn per content.
    pub volume_nl_by_content: BTreeMap<String, u64>,
    /// At least: dispensing one plate after the other (as fast as the handler's profile says), then the
    /// incubation of the last. Waiting for people, moves and reads is not in it.
    pub estimated_hours: f64,
    /// By the campaign's prices; `None` when it names none.
    #[serde(default)]
    pub cost: Option<Money>,
}

/// The part of a plan that is physical, in a fixed order of fields.
#[derive(Serialize)]
struct Canonical<'a> {
    version: u32,
    generation: u32,
    plates: Vec<CanonicalPlate<'a>>,
    steps: &'a [Step],
}

#[derive(Serialize)]
struct CanonicalPlate<'a> {
    ordinal: u32,
    barcode: &'a str,
    labware: &'a str,
    context: &'a str,
    wells: Vec<(Well, Role, &'a [String], u32)>,
    draws: &'a [Draw],
}

impl Plan {
    /// SHA-256 over everything that will physically happen: plates, what goes into each well, draws, steps.
    ///
    /// Identities of proposals are not in it (they are fresh in each run of the same campaign); what they
    /// ask for is.
    pub fn digest(&self) -> Digest {
        let canonical = Canonical {
            version: 1,
            generation: self.generation,
            plates: self.plates.iter().map(CanonicalPlate::of).collect(),
            steps: &self.steps,
        };
        // A Vec of bytes takes everything, every key is a string, and no value is NaN-dependent: serde_json
        // writes non-finite numbers as null.
        let bytes = serde_json::to_vec(&canonical).expect("plain structs always serialise");
        Digest::of(&bytes)
    }
}

impl<'a> CanonicalPlate<'a> {
    fn of(plate: &'a PlannedPlate) -> Self {
        Self {
            ordinal: plate.ordinal,
            barcode: &plate.barcode,
            labware: &plate.labware,
            context: &plate.context,
            wells: plate.wells.iter().map(|w| (w.well, w.role, w.contents.as_slice(), w.replicate)).collect(),
            draws: &plate.draws,
        }
    }
}
