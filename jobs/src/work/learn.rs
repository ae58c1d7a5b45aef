//! Work for learners. Tables travel as blobs; formats are fixed here.
//!
//! | table | format | columns |
//! |---|---|---|
//! | pool | CSV | `perturbation,context` |
//! | data cut | CSV | `perturbation,context,readout,value,hit,replicates,sem` (`hit`, `sem` may be empty) |
//! | posterior | CSV | `perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score` |
//! | features | Parquet or CSV | `gene` (edit name), then numeric columns named `block_index` |
//! | prior | Parquet or CSV | `gene,score,hit`; or long: `screen_id,gene,score[,fdr][,hit][,group][,sided]`, and what [`Description`] says of each screen: `[,organism][,cell][,library][,readout][,selection]` |
//!
//! `perturbation` is the key of [`Perturbation`](crate::Perturbation): edits joined by `+`.

use crate::blob::Digest;
use crate::experiment::Experiment;
use crate::work::description::Description;
use crate::work::readout::{Readout, ReadoutMetrics, ReadoutPrediction};
use crate::work::shadow::{Shadow, ShadowScore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What every learner job needs to build the same model again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelInputs {
    /// Every experiment the campaign may ever ask for.
    pub pool: Digest,
    /// Measured so far, QC passed. `None` before the first round.
    pub data_cut: Option<Digest>,
    /// Feature tables, one or more modalities each.
    pub features: Vec<Digest>,
    /// Other screens, with labels.
    pub priors: Vec<Digest>,
    /// Screens of the priors that are left out, as siblings of what is measured here: by any of their
    /// [names](names_of_screen). The learner leaves them out, and nobody before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_prior_groups: Vec<String>,
    /// Of the screen at hand: others that are described (columns of a prior) count by how alike they are.
    #[serde(default, skip_serializing_if = "Description::is_empty")]
    pub description: Description,
    /// Further readouts in the data cut; every other row of it is of the readout that the campaign is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readouts: Vec<Readout>,
    pub model: ModelSpec,
    /// All randomness of training and selection derives from it.
    pub seed: u64,
}

/// What a screen of a long prior file can be named by: its `screen_id`, the part of it before the first `_`, and its
/// `group` (study), where the file has that column.
pub fn names_of_screen<'a>(id: &'a str, group: &'a str) -> impl Iterator<Item = &'a str> {
    let study = id.split_once('_').map_or(id, |(study, _)| study);
    [id, study, group].into_iter().filter(|name| !name.is_empty())
}

/// The model family and its few settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSpec {
    pub family: ModelFamily,
    /// Networks in the ensemble.
    pub members: u32,
    /// Passes over the data in training.
    pub epochs: u32,
    /// The ensemble's encoders have learnt from all features and other screens before the first row.
    #[serde(skip_serializing_if = "is_true")]
    pub pretrained: bool,
}

/// What is usual is not written, so that a learner of before, which knows no such setting, reads it.
fn is_true(value: &bool) -> bool {
    *value
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self { family: ModelFamily::BayesianLinear, members: 8, epochs: 60, pretrained: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelFamily {
    /// Ensemble of neural encoders, manipulator and heads (tch).
    Ensemble,
    /// Bayesian lines and a forest on the features and other screens; for sets of edits a Gaussian process.
    BayesianLinear,
}

/// Train a model on the data cut and leave a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Train {
    pub inputs: ModelInputs,
    /// The checkpoint to start from, if any.
    pub warm_start: Option<Digest>,
    /// Earlier versions to be scored on what was measured after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Shadow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrainResult {
    pub checkpoint: Digest,
    pub code_version: String,
    pub metrics: ModelMetrics,
    pub train_seconds: f64,
}

/// Measured on held-out folds of the data cut; `None` where there is too little to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelMetrics {
    pub training_rows: u64,
    pub held_out_rows: u64,
    /// Mean log predictive density of the value, in nats, standardised units.
    pub held_out_log_score: Option<f64>,
    /// Continuous ranked probability score, standardised units.
    pub held_out_crps: Option<f64>,
    pub coverage_50: Option<f64>,
    pub coverage_80: Option<f64>,
    pub coverage_90: Option<f64>,
    /// Expected calibration error of the hit probability.
    pub hit_ece: Option<f64>,
    /// Of the further readouts, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readouts: Vec<ReadoutMetrics>,
    /// Earlier versions beside this one, on what was measured after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<ShadowScore>,
}

/// How to choose. Sources of each: the learner's `acquisition` folder.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Acquisition {
    /// Highest probability of being a hit.
    HitProbability,
    /// Highest (or lowest, see `Objective`) predicted mean.
    Greedy,
    /// Mean plus `beta` epistemic standard deviations.
    Ucb { beta: f64 },
    /// Largest expected improvement over the best value measured.
    ExpectedImprovement,
    /// One posterior sample per pick.
    Thompson,
    /// One posterior sample per pick; the best of it, or by the toss of a coin the best of another.
    TopTwo,
    /// What the value of one experiment would teach of the readout, in nats.
    InformationGain,
    /// What one hit call would teach of hits, in nats. Of the family `ensemble` only.
    Bald,
    /// Where the model is least sure of the value.
    MaxEpistemic,
    /// Uniform; the control.
    Random,
    /// Probability of a hit, and a share of the batch that learns, by evidence; says why in words.
    Auto {
        /// The largest share that may learn, 0 to 1; absent: what the evidence says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        learning_share: Option<f64>,
    },
}

/// Which end of the readout is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    Maximise,
    Minimise,
    /// Far from the negative control in either direction.
    TwoSided,
}

/// Choose the next batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Propose {
    pub inputs: ModelInputs,
    /// Of the promoted model; `None` when none was trained yet (the learner then trains from the
    /// priors alone, or proposes at random and says so).
    pub checkpoint: Option<Digest>,
    pub objective: Objective,
    pub acquisition: Acquisition,
    /// How firmly the batch is spread over what is known of the experiments: 0 the rule alone, 1 spread alone among
    /// the rule's best.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub diversity: f64,
    /// Rounds that come after this one in the campaign, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds_left: Option<u32>,
    pub batch_size: u32,
    pub runners_up: u32,
    /// Asked for and not yet answered: not proposed again, conditioned on.
    pub pending: Vec<Experiment>,
    /// Not to be proposed: measured, given up, or excluded by people; but for what `repeats` names.
    pub excluded: Vec<Experiment>,
    /// No experiment with one of these edits in it is to be proposed: excluded by people for this round.
    #[serde(default)]
    pub excluded_genes: Vec<String>,
    /// What may be measured again; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// What experiments cost and the batch may; absent: it may cost anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
    /// Experiments that one plate takes, all in one context: the batch needs as few plates as it can. Absent: contexts
    /// are mixed as the rule likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_plate: Option<u32>,
}

/// What experiments cost, and what a batch may.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prices {
    /// All experiments of the batch together.
    pub budget: f64,
    pub currency: String,
    /// Of any experiment, whatever its edits.
    pub per_experiment: f64,
    /// Of an edit that `edits` does not name.
    pub per_edit: f64,
    pub edits: BTreeMap<String, f64>,
}

impl Prices {
    pub fn of(&self, experiment: &Experiment) -> f64 {
        let edits = experiment.perturbation.edits().iter();
        let each = edits.map(|edit| self.edits.get(edit).copied().unwrap_or(self.per_edit));
        self.per_experiment + each.sum::<f64>()
    }
}

/// What may be measured again, where noise decides about a hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Repeats {
    /// At most so many of the batch.
    pub at_most: u32,
    /// Wells of one more measurement.
    pub replicates: u32,
    /// Absent where the reader calls hits itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// Measured, and not yet as often as the campaign allows. `excluded` names them too, for learners that know no
    /// repeats.
    pub experiments: Vec<Experiment>,
}

/// From where on a value is a hit, in the readout's own units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    AtLeast(f64),
    AtMost(f64),
    /// Absolute value at least.
    TwoSided(f64),
}

impl Threshold {
    pub fn calls(self, value: f64) -> bool {
        match self {
            Self::AtLeast(threshold) => value >= threshold,
            Self::AtMost(threshold) => value <= threshold,
            Self::TwoSided(threshold) => value.abs() >= threshold,
        }
    }
}

/// How firmly a batch is spread where nobody says. Single edits: .3 found as much on twelve screens of other studies, and
/// more on two of the four replayed. Sets of edits: it found less on both replayed (docs/virtual-cell.md). A random batch is
/// left as it was drawn.
pub fn default_diversity(rule: Acquisition, sets: bool) -> f64 {
    if sets || rule == Acquisition::Random { 0.0 } else { 0.3 }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Propose {
    /// Whether `experiment` has an edit that people excluded.
    pub fn excludes_gene_of(&self, experiment: &Experiment) -> bool {
        experiment.perturbation.edits().iter().any(|edit| self.excluded_genes.contains(edit))
    }
}

/// What the model says of one experiment, in the readout's own units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prediction {
    pub mean: f64,
    /// What more data would remove.
    pub epistemic_sd: f64,
    /// What it would not.
    pub aleatoric_sd: f64,
    pub hit_probability: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    #[serde(flatten)]
    pub experiment: Experiment,
    #[serde(flatten)]
    pub prediction: Prediction,
    /// Value of the acquisition function; higher was chosen first.
    pub score: f64,
    /// Why it was chosen, in words a scientist reads.
    pub reason: String,
    /// What the model says of further readouts; vectors are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readouts: Vec<ReadoutPrediction>,
    /// Probability that all constraints hold; absent where there are none, or nothing is measured of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feasibility: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposeResult {
    /// Best first.
    pub proposals: Vec<Proposal>,
    /// The next best, in order.
    pub runners_up: Vec<Proposal>,
    /// What the batch as a whole is for, and why, in words a scientist reads; empty when the rule says it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub explanation: String,
    /// Posterior over the whole pool, so that a prediction for an experiment added by hand is a look-up.
    pub posterior: Digest,
    /// The checkpoint that was really used.
    pub checkpoint: Option<Digest>,
    pub code_version: String,
    pub select_seconds: f64,
}

/// Predict single experiments now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Predict {
    pub inputs: ModelInputs,
    pub checkpoint: Digest,
    pub experiments: Vec<Experiment>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictResult {
    /// In the order asked.
    pub predictions: Vec<Prediction>,
    /// Of the further readouts, for each experiment in the order asked; empty where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readouts: Vec<Vec<ReadoutPrediction>>,
    /// In the order asked; empty where the learner does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Grounds>,
}

/// What a prediction rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grounds {
    /// Edits of which neither the features nor other screens say anything.
    pub unknown_edits: Vec<String>,
    /// Rows of the data cut that are this very experiment.
    pub own_rows: u32,
    /// Other rows, of a perturbation with one of its edits or of the same in another context.
    pub related_rows: u32,
    /// Rows that were measured in its context.
    pub context_rows: u32,
    /// Rows of as many edits as it has: none, and what several edits do together was never seen.
    pub same_size_rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_model_is_written_as_a_learner_of_before_reads_it() {
        let written = serde_json::to_string(&ModelSpec::default()).unwrap();
        assert_eq!(written, r#"{"family":"bayesian_linear","members":8,"epochs":60}"#);
        assert_eq!(serde_json::from_str::<ModelSpec>(&written).unwrap(), ModelSpec::default());
        let other = ModelSpec { pretrained: false, ..ModelSpec::default() };
        let again: ModelSpec = serde_json::from_str(&serde_json::to_string(&other).unwrap()).unwrap();
        assert!(!again.pretrained);
    }
}
