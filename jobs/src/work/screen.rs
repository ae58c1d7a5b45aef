//! Work for learners: rank a whole space of experiments by a model, and keep the best.
//!
//! The ranking travels as a blob: CSV with the posterior's columns ([`super::learn`]), best first.

use super::learn::ModelInputs;
use crate::blob::Digest;
use crate::experiment::Context;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most experiments that a screen keeps.
pub const MOST_KEPT: u32 = 10_000;
/// Most edits that a screen names: two of each are 18 million pairs.
pub const MOST_EDITS: usize = 6_000;
/// Most experiments of a table: as many as a campaign's design space may have.
pub const MOST_ROWS: usize = 2_000_000;

/// Rank a space of experiments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Screen {
    pub inputs: ModelInputs,
    pub checkpoint: Digest,
    pub space: Space,
    pub rank_by: RankBy,
    /// How many of the best are kept: 1 to [`MOST_KEPT`].
    pub keep: u32,
}

/// Which experiments are ranked. Never spanned as a whole: learners go through it piece by piece.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Space {
    /// The experiments of a table (a blob, CSV `perturbation,context`), each once.
    Table { table: Digest },
    /// Each edit alone of which the features or other screens know something.
    Known { context: Context },
    /// Each of these edits alone.
    Singles { edits: Vec<String>, context: Context },
    /// Every two of these edits.
    Pairs { edits: Vec<String>, context: Context },
}

impl Space {
    /// The one in which all of it happens; `None`: a table says it row by row.
    pub fn context(&self) -> Option<&Context> {
        match self {
            Space::Table { .. } => None,
            Space::Known { context } | Space::Singles { context, .. } | Space::Pairs { context, .. } => {
                Some(context)
            }
        }
    }

    /// The edits that it names, if it names them.
    pub fn edits(&self) -> Option<&[String]> {
        match self {
            Space::Singles { edits, .. } | Space::Pairs { edits, .. } => Some(edits),
            Space::Table { .. } | Space::Known { .. } => None,
        }
    }
}

/// What stands first. Ties keep the order of the space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum RankBy {
    /// Highest probability of being a hit.
    #[default]
    HitProbability,
    /// Highest predicted mean.
    MeanUp,
    /// Lowest predicted mean.
    MeanDown,
    /// Highest mean plus `beta` epistemic standard deviations.
    UpperBound { beta: f64 },
    /// Lowest mean minus `beta` epistemic standard deviations.
    LowerBound { beta: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScreenResult {
    /// CSV with the posterior's columns, best first; `score` is what was ranked by, higher first.
    pub ranking: Digest,
    pub summary: SpaceSummary,
    pub code_version: String,
    pub screen_seconds: f64,
}

/// The whole space in a few numbers, so that the best are seen beside the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpaceSummary {
    pub experiments: u64,
    /// Of them, how many the ranking has.
    pub kept: u32,
    /// With an edit of which neither the features nor other screens say anything.
    pub with_unknown_edits: u64,
    /// The sum of all hit probabilities.
    pub expected_hits: f64,
    pub mean_hit_probability: f64,
    /// To within 0.0001.
    pub hit_probability_quantiles: Vec<Quantile>,
    /// Experiments in bins of equal width from 0 to 1.
    pub hit_probability_histogram: Vec<u64>,
    /// Of the predicted means, in the readout's own units.
    pub mean: f64,
    pub mean_sd: f64,
    pub lowest_mean: f64,
    pub highest_mean: f64,
}

/// `share` of all are at `value` or below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quantile {
    pub share: f64,
    pub value: f64,
}
