//! One experiment in a batch.

use crate::ids::{ActorId, BatchId, ProposalId};
use crate::store::Result;
use crate::store::moved::{corrupt, count, word};
use jobs::work::learn::Prediction;
use jobs::work::readout::ReadoutPrediction;
use jobs::{Context, Experiment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub id: ProposalId,
    pub batch_id: BatchId,
    /// Best first; runners-up go on counting.
    pub rank: u32,
    pub origin: Origin,
    pub status: Status,
    pub experiment: Experiment,
    /// `None` when a person added it and the model never saw it.
    pub prediction: Option<Prediction>,
    pub score: Option<f64>,
    /// Of further readouts, vectors left out; empty where there are none.
    pub readouts: Vec<ReadoutPrediction>,
    /// Why it was chosen.
    pub reason: String,
    pub removed_reason: Option<String>,
    pub edited_by: Option<ActorId>,
    pub fate: Option<Fate>,
    pub fate_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Model,
    Person,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Selected,
    RunnerUp,
    Removed,
}

/// How an approved proposal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Measured,
    GivenUp,
}

impl Origin {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Origin::Model => "model",
            Origin::Person => "person",
        }
    }
    fn from_column(word: &str) -> Option<Self> {
        [Origin::Model, Origin::Person].into_iter().find(|origin| origin.as_str() == word)
    }
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Status::Selected => "selected",
            Status::RunnerUp => "runner_up",
            Status::Removed => "removed",
        }
    }
    fn from_column(word: &str) -> Option<Self> {
        [Status::Selected, Status::RunnerUp, Status::Removed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

impl Fate {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Fate::Measured => "measured",
            Fate::GivenUp => "given_up",
        }
    }
    fn from_column(word: &str) -> Option<Self> {
        [Fate::Measured, Fate::GivenUp].into_iter().find(|fate| fate.as_str() == word)
    }
}

pub(super) struct Row {
    pub id: Uuid,
    pub batch_id: Uuid,
    pub rank: i32,
    pub origin: String,
    pub status: String,
    pub perturbation: String,
    pub context: String,
    pub mean: Option<f64>,
    pub epistemic_sd: Option<f64>,
    pub aleatoric_sd: Option<f64>,
    pub hit_probability: Option<f64>,
    pub score: Option<f64>,
    pub readouts: serde_json::Value,
    pub reason: String,
    pub removed_reason: Option<String>,
    pub edited_by: Option<Uuid>,
    pub fate: Option<String>,
    pub fate_reason: Option<String>,
}

impl TryFrom<Row> for Proposal {
    type Error = crate::store::Error;
    fn try_from(row: Row) -> Result<Self> {
        let prediction = match (row.mean, row.epistemic_sd, row.aleatoric_sd, row.hit_probability) {
            (Some(mean), Some(epistemic_sd), Some(aleatoric_sd), Some(hit_probability)) => {
                Some(Prediction { mean, epistemic_sd, aleatoric_sd, hit_probability })
            }
            _ => None,
        };
        let fate = match row.fate {
            Some(fate) => Some(word(Fate::from_column(&fate), "proposal.fate", &fate)?),
            None => None,
        };
        Ok(Proposal {
            id: row.id.into(),
            batch_id: row.batch_id.into(),
            rank: count(row.rank.into())?,
            origin: word(Origin::from_column(&row.origin), "proposal.origin", &row.origin)?,
            status: word(Status::from_column(&row.status), "proposal.status", &row.status)?,
            experiment: experiment(&row.perturbation, row.context)?,
            prediction,
            score: row.score,
            readouts: serde_json::from_value(row.readouts).map_err(corrupt)?,
            reason: row.reason,
            removed_reason: row.removed_reason,
            edited_by: row.edited_by.map(ActorId),
            fate,
            fate_reason: row.fate_reason,
        })
    }
}

/// Two columns as an experiment.
pub(in crate::store) fn experiment(perturbation: &str, context: String) -> Result<Experiment> {
    Ok(Experiment { perturbation: perturbation.parse().map_err(corrupt)?, context: Context(context) })
}
