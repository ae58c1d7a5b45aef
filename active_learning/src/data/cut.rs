//! The data cut: what was measured so far and passed quality control.

use crate::data::pool::{experiments, quoted};
use crate::data::table::{ColumnKind, Table};
use crate::{Error, Result};
use jobs::Experiment;

/// One measured value of one experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    pub experiment: Experiment,
    /// In the readout's own units.
    pub value: f64,
    /// What the screen calls a hit; `None` where nobody said.
    pub hit: Option<bool>,
}

/// Parses `perturbation,context,readout,value,hit,replicates,sem`.
///
/// The first edition learns one readout: a cut with several is refused rather than mixed up.
pub fn read(bytes: &[u8]) -> Result<Vec<Observation>> {
    const CUT: &str = "data cut";
    let table = Table::read(CUT, bytes, |name| match name {
        "perturbation" | "context" | "readout" => Some(ColumnKind::Text),
        "value" | "hit" => Some(ColumnKind::Number),
        _ => None,
    })?;
    if let Ok(readouts) = table.text("readout")
        && readouts.words.len() > 1
    {
        let reason = format!("it holds the readouts {:?}; a model learns one", readouts.words);
        return Err(Error::Table { table: CUT, reason });
    }
    let values = table.number("value")?;
    let hits = table.number("hit").unwrap_or_default();
    let rows = experiments(CUT, &table)?.into_iter().zip(values).enumerate();
    rows.map(|(row, (experiment, &value))| {
        if !value.is_finite() {
            return Err(Error::Row {
                table: CUT,
                row: row + 1,
                reason: "value is not a finite number".into(),
            });
        }
        let hit = hits.get(row).filter(|hit| !hit.is_nan()).map(|&hit| hit > 0.5);
        Ok(Observation { experiment, value: f64::from(value), hit })
    })
    .collect()
}

/// Writes a data cut of one readout, one replicate a row.
pub fn write(readout: &str, cut: &[Observation]) -> Vec<u8> {
    let mut text = String::from("perturbation,context,readout,value,hit,replicates,sem\n");
    for row in cut {
        let hit = row.hit.map_or("", |hit| if hit { "1" } else { "0" });
        text.push_str(&format!(
            "{},{},{},{},{hit},1,\n",
            quoted(&row.experiment.perturbation.to_string()),
            quoted(&row.experiment.context.0),
            quoted(readout),
            row.value,
        ));
    }
    text.into_bytes()
}
