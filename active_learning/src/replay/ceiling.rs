//! How well a replicate of the screen itself would choose: the ceiling for a learner.

use crate::data::table::{ColumnKind, Table};
use crate::replay::Oracle;
use crate::{Error, Result};
use jobs::Perturbation;
use std::collections::{BTreeMap, HashSet};

/// What a gene's effect may be called; the first that is there. MAGeCK's two are the same number.
const STRENGTHS: [&str; 4] = ["score", "lfc", "pos_lfc", "neg_lfc"];

/// Share of `oracle`'s hits among each replicate's own `count` strongest genes of the pool, mean over
/// replicates. `bytes`: `gene` and one of [`STRENGTHS`]; `replicate` where there are several.
pub fn of_replicates(bytes: &[u8], oracle: &Oracle, count: usize) -> Result<f64> {
    const REPLICATES: &str = "replicates";
    let table = Table::read(REPLICATES, bytes, |name| match name {
        "gene" | "replicate" => Some(ColumnKind::Text),
        strength if STRENGTHS.contains(&strength) => Some(ColumnKind::Number),
        _ => None,
    })?;
    let column = STRENGTHS.iter().find(|column| table.has(column)).unwrap_or(&STRENGTHS[0]);
    let strength = table.number(column)?;
    let replicates = table.text("replicate").ok();
    let pool: HashSet<String> = oracle.pool().iter().map(|e| e.perturbation.to_string()).collect();
    let mut by_replicate: BTreeMap<&str, Vec<(f32, &str)>> = BTreeMap::new();
    for (row, (gene, value)) in table.text("gene")?.iter().zip(strength).enumerate() {
        let replicate = replicates.and_then(|names| names.at(row)).unwrap_or_default();
        if value.is_finite() && pool.contains(gene) {
            by_replicate.entry(replicate).or_default().push((value.abs(), gene));
        }
    }
    let share = |rows: &mut Vec<(f32, &str)>| {
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        let is_hit =
            |gene: &str| {
                let perturbation: Option<Perturbation> = gene.parse().ok();
                let asked = oracle.pool().first().zip(perturbation).map(|(any, perturbation)| {
                    jobs::Experiment { perturbation, context: any.context.clone() }
                });
                asked.and_then(|experiment| oracle.ask(&experiment)).is_some_and(|row| row.hit == Some(true))
            };
        let found = rows.iter().take(count).filter(|(_, gene)| is_hit(gene)).count();
        found as f64 / oracle.hits().max(1) as f64
    };
    let shares: Vec<f64> = by_replicate.values_mut().map(share).collect();
    let none = || Error::Table { table: REPLICATES, reason: "no gene of the pool".into() };
    crate::metrics::mean(shares).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_and_a_useless_replicate_average() {
        let oracle = Oracle::read(b"gene,score,hit\nA,9,1\nB,8,1\nC,0,0\nD,0,0\n").unwrap();
        let text = b"replicate,gene,lfc\n1,A,-5\n1,B,4\n1,C,1\n1,D,0\n2,A,0\n2,B,0\n2,C,3\n2,D,4\n";
        assert_eq!(of_replicates(text, &oracle, 2).unwrap(), 0.5);
    }
}
