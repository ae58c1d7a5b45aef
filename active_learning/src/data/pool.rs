//! The pool: every experiment a campaign may ever ask for, and how experiments are written in CSV.

use crate::data::table::{ColumnKind, Table};
use crate::{Error, Result};
use jobs::{Context, Experiment};

/// Parses `perturbation,context`. Repeats are dropped, order is kept.
pub fn read(bytes: &[u8]) -> Result<Vec<Experiment>> {
    let table = Table::read("pool", bytes, |name| {
        matches!(name, "perturbation" | "context").then_some(ColumnKind::Text)
    })?;
    let mut seen = std::collections::HashSet::new();
    let mut pool = experiments("pool", &table)?;
    pool.retain(|experiment| seen.insert(experiment.clone()));
    Ok(pool)
}

/// The experiments that the rows of `table` name.
pub(super) fn experiments(what: &'static str, table: &Table) -> Result<Vec<Experiment>> {
    let rows = table.text("perturbation")?.iter().zip(table.text("context")?.iter());
    rows.enumerate()
        .map(|(row, (key, context))| {
            let perturbation = key.parse().map_err(|error: jobs::experiment::NotAPerturbation| {
                Error::Row { table: what, row: row + 1, reason: error.to_string() }
            })?;
            Ok(Experiment { perturbation, context: Context(context.to_owned()) })
        })
        .collect()
}

/// Writes `perturbation,context`.
pub fn write(pool: &[Experiment]) -> Vec<u8> {
    let mut text = String::from("perturbation,context\n");
    for experiment in pool {
        text.push_str(&format!(
            "{},{}\n",
            quoted(&experiment.perturbation.to_string()),
            quoted(&experiment.context.0)
        ));
    }
    text.into_bytes()
}

/// A context's name may hold what CSV needs quoted; a perturbation's key cannot hold a comma, but a quote.
pub(super) fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
