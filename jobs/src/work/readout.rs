//! Further readouts: what is learnt of an experiment beside the readout that a campaign is about.
//!
//! In the data cut their rows carry the readout's name; a vector's rows are called `name/component`. Labels travel as
//! their position in the list, from 0.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A further readout, and what it must be where it is a constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Readout {
    pub name: String,
    #[serde(flatten)]
    pub kind: ReadoutKind,
    /// Absent: it is learnt, and has no say in what is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReadoutKind {
    /// A number.
    Continuous,
    /// Levels in their order, lowest first.
    Ordinal { labels: Vec<String> },
    /// Labels without an order.
    Class { labels: Vec<String> },
    /// Many numbers of one origin, learnt together by low rank: a transcriptome, the features of an image.
    Vector { components: Vec<String> },
}

/// What an experiment must be to be worth doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Of labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
}

/// What the model says of one readout of one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadoutPrediction {
    /// A vector's components are named `name/component`.
    pub readout: String,
    #[serde(flatten)]
    pub says: ReadoutSays,
    /// Probability that the constraint holds; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feasibility: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ReadoutSays {
    /// In the readout's own units.
    Value {
        mean: f64,
        epistemic_sd: f64,
        aleatoric_sd: f64,
    },
    Labels {
        probabilities: Vec<LabelProbability>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LabelProbability {
    pub label: String,
    pub probability: f64,
}

/// How well a further readout is foretold, on rows that were not learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadoutMetrics {
    pub name: String,
    /// Experiments with a value of it.
    pub training_rows: u64,
    /// Mean log predictive density of the value (standardised units), or log probability of the label, in nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_log_score: Option<f64>,
    /// The same of a forecast by the mean and spread, or by the labels' shares, alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_log_score: Option<f64>,
    /// Of 90 % intervals; absent for labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage_90: Option<f64>,
}

impl Readout {
    /// Names that its rows have in a data cut.
    pub fn row_names(&self) -> Vec<String> {
        match &self.kind {
            ReadoutKind::Vector { components } => {
                components.iter().map(|component| self.component(component)).collect()
            }
            _ => vec![self.name.clone()],
        }
    }

    /// Name of the rows of one component.
    pub fn component(&self, component: &str) -> String {
        format!("{}/{component}", self.name)
    }
}

impl ReadoutKind {
    /// Empty for what has no labels.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::Ordinal { labels } | Self::Class { labels } => labels,
            Self::Continuous | Self::Vector { .. } => &[],
        }
    }
}

impl Constraint {
    /// As people read it, e.g. "at least 0.7" or "one of healthy, stressed".
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.at_least.map(|limit| format!("at least {limit}")));
        parts.extend(self.at_most.map(|limit| format!("at most {limit}")));
        if !self.one_of.is_empty() {
            parts.push(format!("one of {}", self.one_of.join(", ")));
        }
        parts.join(" and ")
    }
}

/// Probability that all constraints hold, taken for independent given what is known of the experiment; `None` without any.
pub fn joint(readouts: &[ReadoutPrediction]) -> Option<f64> {
    let mut each = readouts.iter().filter_map(|readout| readout.feasibility).peekable();
    each.peek()?;
    Some(each.product())
}
