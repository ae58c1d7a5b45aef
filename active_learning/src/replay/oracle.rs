//! The measured screen, behind a counter: answers come only for what is asked.

use crate::data::Observation;
use crate::data::table::{ColumnKind, Table};
use crate::{Error, Result};
use jobs::{Context, Experiment, Perturbation};
use std::collections::HashMap;

/// Name of the only context of a replayed screen.
const CONTEXT: &str = "replay";

#[derive(Clone, Debug)]
pub struct Oracle {
    pool: Vec<Experiment>,
    truth: HashMap<Experiment, (f64, bool)>,
}

impl Oracle {
    /// Parses a screen: `gene`, `score`, `hit`. Genes whose names cannot be perturbations are an error.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        const SCREEN: &str = "screen";
        let table = Table::read(SCREEN, bytes, |name| match name {
            "gene" => Some(ColumnKind::Text),
            "score" | "hit" => Some(ColumnKind::Number),
            _ => None,
        })?;
        let (scores, hits) = (table.number("score")?, table.number("hit")?);
        let mut oracle = Self { pool: Vec::new(), truth: HashMap::new() };
        for (row, gene) in table.text("gene")?.iter().enumerate() {
            let (Some(score), Some(hit)) = (scores.get(row), hits.get(row)) else { continue };
            if !score.is_finite() {
                continue;
            }
            let perturbation = Perturbation::new([gene]).map_err(|error| Error::Row {
                table: SCREEN,
                row: row + 1,
                reason: error.to_string(),
            })?;
            let experiment = Experiment { perturbation, context: Context(CONTEXT.to_owned()) };
            if oracle.truth.insert(experiment.clone(), (f64::from(*score), *hit > 0.5)).is_none() {
                oracle.pool.push(experiment);
            }
        }
        Ok(oracle)
    }

    /// From rows of gene, score and hit.
    pub fn of(rows: impl IntoIterator<Item = (String, f64, bool)>) -> Result<Self> {
        let mut text = String::from("gene,score,hit\n");
        for (gene, score, hit) in rows {
            text.push_str(&format!("{gene},{score},{}\n", u8::from(hit)));
        }
        Self::read(text.as_bytes())
    }

    pub fn pool(&self) -> &[Experiment] {
        &self.pool
    }

    pub fn hits(&self) -> usize {
        self.truth.values().filter(|(_, hit)| *hit).count()
    }

    /// Measures `experiment`; `None` for one that is not in the screen.
    pub fn ask(&self, experiment: &Experiment) -> Option<Observation> {
        let &(value, hit) = self.truth.get(experiment)?;
        Some(Observation { experiment: experiment.clone(), value, hit: Some(hit) })
    }
}
