//! The campaign file (TOML). Parsed and validated here; kept in git or edited in the web app.

pub use super::cost::Cost;
pub use super::policy::Policy;
use super::readout::ReadoutSpec;
use super::schedule::Schedule;
use jobs::work::description::Description;
use jobs::work::learn::{
    Acquisition, ModelFamily, ModelSpec, Objective, Prices, Threshold, default_diversity,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A campaign, as its file says it. File names are relative to the campaign file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Unique in its project.
    pub name: String,
    /// For people: what is looked for, and why.
    #[serde(default)]
    pub goal: String,
    pub design: Design,
    pub objective: ObjectiveSpec,
    /// Further readouts of the same wells: learnt, and constraints where they say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readouts: Vec<ReadoutSpec>,
    #[serde(default)]
    pub model: Model,
    pub acquisition: AcquisitionSpec,
    pub assay: Assay,
    pub controls: Controls,
    #[serde(default)]
    pub qc: Qc,
    pub budget: Budget,
    #[serde(default)]
    pub schedule: Schedule,
    #[serde(default)]
    pub policy: Policy,
    /// Absent: no cost is told.
    #[serde(default)]
    pub cost: Option<Cost>,
    pub bench: Bench,
}

/// The design space: which experiments may be asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// CSV with a column `gene`.
    pub genes_file: String,
    #[serde(default)]
    pub combinations: Combinations,
    /// Cells, donors: each experiment is one perturbation in one context.
    pub contexts: Vec<String>,
    /// Genes never to be used.
    #[serde(default)]
    pub exclude: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combinations {
    #[default]
    Singles,
    Pairs,
    SinglesAndPairs,
}

/// What is measured and which end is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveSpec {
    /// Name of the readout in data and plots, e.g. `IFNG signal`.
    pub readout: String,
    /// The reader's channel for it.
    pub channel: String,
    pub direction: Objective,
    pub hit: HitRule,
}

/// What counts as a hit. Thresholds are in normalised units (negative control 0, positive control 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HitRule {
    /// A channel of the reader that calls hits itself (1: hit); replicates vote.
    Channel(String),
    AtLeast(f64),
    AtMost(f64),
    /// Absolute value at least.
    TwoSided(f64),
}

impl HitRule {
    /// `None` where a reader calls hits.
    pub fn threshold(&self) -> Option<Threshold> {
        match *self {
            HitRule::Channel(_) => None,
            HitRule::AtLeast(threshold) => Some(Threshold::AtLeast(threshold)),
            HitRule::AtMost(threshold) => Some(Threshold::AtMost(threshold)),
            HitRule::TwoSided(threshold) => Some(Threshold::TwoSided(threshold)),
        }
    }
}

/// How a batch is chosen: a rule with its settings, and how firmly what it chooses is spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AcquisitionSpec {
    #[serde(flatten)]
    pub rule: Acquisition,
    /// 0: the rule alone; up to 1: among the rule's best, what is unlike the rest of the batch. Absent: see
    /// [`Spec::diversity`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diversity: Option<f64>,
    /// The largest share of a batch that may be measured again, 0 to 1, where noise decides about a hit. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicate_share: Option<f64>,
    /// Rounds that one experiment is measured in at most; absent: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_measurements: Option<u32>,
    /// A plate has cells of one context. `true`: the contexts that the rule wants most get whole plates, and a batch
    /// needs as few plates as its size does.
    #[serde(default, skip_serializing_if = "is_false")]
    pub whole_plates: bool,
}

fn is_false(it: &bool) -> bool {
    !it
}

/// Rounds that one experiment is measured in at most, where the file does not say.
const MOST_MEASUREMENTS: u32 = 3;

impl AcquisitionSpec {
    pub fn most_measurements(&self) -> u32 {
        self.most_measurements.unwrap_or(MOST_MEASUREMENTS)
    }

    /// How much of a `batch` may be measured again, to the whole experiment below.
    pub fn repeats_of(&self, batch: u32) -> u32 {
        // Within 0 and `batch`, since the share is within 0 and 1.
        (self.replicate_share.unwrap_or(0.0).clamp(0.0, 1.0) * f64::from(batch)).floor() as u32
    }
}

/// The virtual cell and what it may learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    pub family: ModelFamily,
    /// Networks in the ensemble; 1 is a single network, without an epistemic part.
    pub members: u32,
    /// Passes over the data in training.
    pub epochs: u32,
    /// The ensemble's encoders learn from all features and priors before the first row.
    #[serde(skip_serializing_if = "is_true")]
    pub pretrained: bool,
    /// Feature tables (Parquet or CSV).
    pub features: Vec<String>,
    /// Other screens, with labels (Parquet or CSV).
    pub priors: Vec<String>,
    /// Groups (studies) of a long prior file that are left out: siblings of what is measured here.
    pub exclude_prior_groups: Vec<String>,
    /// What kind of screen this is: others that are described count by how alike they are.
    #[serde(skip_serializing_if = "Description::is_empty")]
    pub description: Description,
}

impl Default for Model {
    fn default() -> Self {
        let ModelSpec { family, members, epochs, pretrained } = ModelSpec::default();
        Self {
            family,
            members,
            epochs,
            pretrained,
            features: Vec::new(),
            priors: Vec::new(),
            exclude_prior_groups: Vec::new(),
            description: Description::default(),
        }
    }
}

impl Model {
    /// What the learner is told of it; the files travel as blobs.
    pub fn spec(&self) -> ModelSpec {
        let Self { family, members, epochs, pretrained, .. } = *self;
        ModelSpec { family, members, epochs, pretrained }
    }
}

fn is_true(value: &bool) -> bool {
    *value
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assay {
    /// Labware of the assay plates, by load name.
    pub labware: String,
    /// Wells per experiment.
    pub replicates: u32,
    /// Volume of each edit's reagent per well.
    pub transfer_volume_nl: u32,
    #[serde(default = "default_liquid_class")]
    pub liquid_class: String,
    pub incubate_hours: f64,
    /// The read must happen within this many hours after the incubation is over, and no earlier.
    pub read_window_hours: f64,
    pub temperature_celsius: f64,
    pub co2_percent: f64,
    /// Leave the outermost wells empty.
    #[serde(default)]
    pub leave_edge_empty: bool,
    /// What people do to each plate on its way, in this order where several stand before the same step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<ByHand>,
}

/// A step for hands: seal, spin, take the lid off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    pub before: Before,
    /// What is to be done, in words for whoever stands beside the plate.
    pub instruction: String,
}

/// The step of a robot that a step by hand comes before; the plate goes back to where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// The plate is filled and stands on the handler's deck.
    Incubate,
    /// The incubation is over, the plate stands in the incubator; within the window of the read.
    Read,
    /// The plate is read and stands on the reader.
    Discard,
}

fn default_liquid_class() -> String {
    "default".to_owned()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    pub negative: Control,
    pub positive: Control,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// What the inventory calls it.
    pub content: String,
    /// Wells per plate.
    pub wells: u32,
}

/// When a plate is quarantined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Qc {
    /// Z'-factor (Zhang, Chung & Oldenburg 1999) below this fails.
    pub minimum_z_prime: f64,
    /// Largest tolerated drift of the negative control across the plate, as a fraction of the control window.
    pub maximum_control_drift: f64,
    /// Largest tolerated fraction of wells without a reading or with a failed or short transfer.
    pub maximum_missing_fraction: f64,
    /// Centre and spread of the controls by median and scaled median absolute deviation in place of mean
    /// and standard deviation: one bad control well does not move the plate.
    pub robust: bool,
}

impl Default for Qc {
    fn default() -> Self {
        Self {
            minimum_z_prime: 0.4,
            maximum_control_drift: 0.3,
            maximum_missing_fraction: 0.1,
            robust: false,
        }
    }
}

/// What may be spent; the campaign is finished when the first limit is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    pub rounds: u32,
    /// Experiments per round.
    pub batch: u32,
    /// What the experiments of a batch may cost together, by `[cost]`; absent: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_cost: Option<f64>,
    /// Stop once so many hits passed QC.
    #[serde(default)]
    pub stop_after_hits: Option<u32>,
    /// Runners-up kept per round, for replacements.
    #[serde(default = "default_runners_up")]
    pub runners_up: u32,
}

fn default_runners_up() -> u32 {
    64
}

/// Which instruments carry it out, by name. `people` as the mover: plates are carried by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    pub handler: String,
    pub incubator: String,
    pub reader: String,
    pub mover: String,
}

/// In the place of a mover: people carry the plates.
pub const PEOPLE: &str = "people";

impl Bench {
    /// The mover; `None` where people carry the plates.
    pub fn mover(&self) -> Option<&str> {
        Some(self.mover.as_str()).filter(|mover| *mover != PEOPLE)
    }

    /// The resource that every step on the handler's deck names: one chain at a time.
    pub fn deck_resource(&self) -> String {
        format!("deck:{}", self.handler)
    }

    /// The resource that every step on the reader names.
    pub fn reader_resource(&self) -> String {
        format!("reader:{}", self.reader)
    }
}

impl Spec {
    /// How firmly a batch is spread: what the file says, or the usual of its rule and its edits.
    pub fn diversity(&self) -> f64 {
        let sets = self.design.combinations != Combinations::Singles;
        let AcquisitionSpec { rule, diversity, .. } = self.acquisition;
        diversity.unwrap_or_else(|| default_diversity(rule, sets))
    }

    /// What experiments cost, for whoever chooses them; `None` where a batch may cost anything.
    pub fn prices(&self) -> Option<Prices> {
        let (cost, budget) = (self.cost.as_ref()?, self.budget.batch_cost?);
        Some(cost.for_choice(budget, self.assay.replicates))
    }

    /// What the reader has to measure: the objective's channel, the hit call's where there is one, and those of further
    /// readouts; each once.
    pub fn channels(&self) -> Vec<String> {
        let mut channels = vec![self.objective.channel.clone()];
        let call = match &self.objective.hit {
            HitRule::Channel(call) => Some(call.clone()),
            _ => None,
        };
        let further = self.readouts.iter().flat_map(ReadoutSpec::channels).map(|(channel, _)| channel);
        for channel in call.into_iter().chain(further) {
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        channels
    }
}
