//! The data cut: what was measured so far and passed quality control.

use crate::data::pool::{experiments, quoted};
use crate::data::table::{ColumnKind, Table};
use crate::{Error, Result};
use jobs::Experiment;
use jobs::work::readout::Readout;
use std::collections::HashMap;

const CUT: &str = "data cut";

/// One measured value of one experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    pub experiment: Experiment,
    /// In the readout's own units.
    pub value: f64,
    /// What the screen calls a hit; `None` where nobody said.
    pub hit: Option<bool>,
    /// Wells that the value is the mean of.
    pub replicates: f64,
    /// Standard error of that mean; `None` where it is not known.
    pub sem: Option<f64>,
}

impl Observation {
    /// Of one well.
    pub fn single(experiment: Experiment, value: f64, hit: Option<bool>) -> Self {
        Self { experiment, value, hit, replicates: 1.0, sem: None }
    }
}

/// One value of a further readout.
#[derive(Clone, Debug, PartialEq)]
pub struct FurtherValue {
    /// Position among the readouts that were asked for.
    pub readout: usize,
    /// Position in a vector; else 0.
    pub component: usize,
    pub experiment: Experiment,
    /// In the readout's own units; of labels, the position in their list.
    pub value: f64,
    pub replicates: f64,
    pub sem: Option<f64>,
}

/// What was measured: of the readout that the campaign is about, and of the further ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cut {
    pub observations: Vec<Observation>,
    pub further: Vec<FurtherValue>,
}

/// Parses `perturbation,context,readout,value,hit,replicates,sem`. `readouts` names the further ones; all other rows are
/// of one readout: a cut with several is refused rather than mixed up.
pub fn read(bytes: &[u8], readouts: &[Readout]) -> Result<Cut> {
    let table = Table::read(CUT, bytes, |name| match name {
        "perturbation" | "context" | "readout" => Some(ColumnKind::Text),
        "value" | "hit" | "replicates" | "sem" => Some(ColumnKind::Number),
        _ => None,
    })?;
    let places = places(readouts);
    let names = table.text("readout").ok();
    if let Some(names) = names {
        let others: Vec<&String> = names.words.iter().filter(|name| !places.contains_key(*name)).collect();
        if others.len() > 1 {
            let reason =
                format!("it holds the readouts {others:?}; a campaign is about one, and names the others");
            return Err(Error::Table { table: CUT, reason });
        }
    }
    let number = |column: &str, row: usize| {
        let values = table.number(column).unwrap_or_default();
        values.get(row).filter(|value| value.is_finite()).map(|value| f64::from(*value))
    };
    let values = table.number("value")?;
    let mut cut = Cut::default();
    for (row, (experiment, &value)) in experiments(CUT, &table)?.into_iter().zip(values).enumerate() {
        if !value.is_finite() {
            let reason = "value is not a finite number".into();
            return Err(Error::Row { table: CUT, row: row + 1, reason });
        }
        let value = f64::from(value);
        let (replicates, sem) = (number("replicates", row).unwrap_or(1.0).max(1.0), number("sem", row));
        let place = names.and_then(|names| names.at(row)).and_then(|name| places.get(name));
        match place {
            Some(&(readout, component)) => {
                cut.further.push(FurtherValue { readout, component, experiment, value, replicates, sem });
            }
            None => {
                let hit = number("hit", row).map(|hit| hit > 0.5);
                cut.observations.push(Observation { experiment, value, hit, replicates, sem });
            }
        }
    }
    Ok(cut)
}

/// Readout and component by the name that their rows have.
fn places(readouts: &[Readout]) -> HashMap<String, (usize, usize)> {
    let of = |(place, readout): (usize, &Readout)| {
        let names = readout.row_names().into_iter().enumerate();
        names.map(move |(component, name)| (name, (place, component))).collect::<Vec<_>>()
    };
    readouts.iter().enumerate().flat_map(of).collect()
}

/// Writes a data cut of one readout.
pub fn write(readout: &str, cut: &[Observation]) -> Vec<u8> {
    let mut text = String::from("perturbation,context,readout,value,hit,replicates,sem\n");
    for row in cut {
        let hit = row.hit.map_or("", |hit| if hit { "1" } else { "0" });
        let sem = row.sem.map(|sem| sem.to_string()).unwrap_or_default();
        text.push_str(&format!(
            "{},{},{},{},{hit},{},{sem}\n",
            quoted(&row.experiment.perturbation.to_string()),
            quoted(&row.experiment.context.0),
            quoted(readout),
            row.value,
            row.replicates,
        ));
    }
    text.into_bytes()
}
