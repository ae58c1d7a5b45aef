//! What was measured, as a table for people and as JSON.

use super::rows::{Goal, ROWS, Reference, Row};
use super::throughput::{Left, Used};
use crate::figures::{Spread, ratios, spread};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Everything of one run.
#[derive(Debug, Default)]
pub struct Record {
    /// By key of its row: a value for each round.
    values: BTreeMap<&'static str, Vec<f64>>,
    /// Why a row has none.
    absent: BTreeMap<&'static str, String>,
    /// By key of its row, of the last round.
    costs: BTreeMap<&'static str, Cost>,
}

/// What a throughput took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    pub used: Used,
    pub left: Left,
}

/// A row with its figures.
#[derive(Debug, Serialize)]
pub struct Line {
    #[serde(flatten)]
    row: Row,
    values: Vec<f64>,
    value: Option<Spread>,
    ratio: Option<Spread>,
    reached: Option<bool>,
    absent: Option<String>,
    cost: Option<Cost>,
}

impl Record {
    pub fn add(&mut self, key: &'static str, value: f64) {
        self.values.entry(key).or_default().push(value);
    }

    pub fn is_absent(&mut self, key: &'static str, why: &str) {
        self.absent.insert(key, why.to_owned());
    }

    pub fn cost(&mut self, key: &'static str, cost: Cost) {
        self.costs.insert(key, cost);
    }

    /// The last value of a row.
    pub fn last(&self, key: &str) -> Option<f64> {
        self.values.get(key)?.last().copied()
    }

    /// Every row for which there is something to say.
    pub fn lines(&self) -> Vec<Line> {
        let known = |row: &&Row| self.values.contains_key(row.key) || self.absent.contains_key(row.key);
        ROWS.iter().filter(known).map(|row| self.line(*row)).collect()
    }

    fn line(&self, row: Row) -> Line {
        let values = self.values.get(row.key).cloned().unwrap_or_default();
        let value = spread(&values);
        let reference = row.reference.and_then(|reference| self.values.get(reference.key()));
        let ratio = reference.and_then(|reference| spread(&ratios(&values, reference)));
        let figure = if row.reference.is_some() { ratio } else { value };
        let reached = row.goal.zip(figure).map(|(goal, figure)| goal.is_reached_by(figure.median));
        let absent = self.absent.get(row.key).cloned();
        Line { row, values, value, ratio, reached, absent, cost: self.costs.get(row.key).copied() }
    }
}

/// The table: median, and least and most in parentheses.
pub fn table(lines: &[Line]) -> String {
    let mut text = String::new();
    let _ =
        writeln!(text, "{:<48} {:>28}  {:>22}  {:<8} reached", "", "median (least..most)", "ratio", "goal");
    for line in lines {
        let value = match (&line.value, &line.absent) {
            (Some(value), _) => with_range(value, decimals(line.row.unit)) + " " + line.row.unit,
            (None, Some(why)) => why.clone(),
            (None, None) => String::new(),
        };
        let ratio = line.ratio.map(|ratio| with_range(&ratio, 2)).unwrap_or_default();
        let of = line.row.reference.map_or("", |reference| match reference {
            Reference::U => "U",
            Reference::L => "L",
        });
        let goal = line.row.goal.map(|goal| words(goal, of)).unwrap_or_default();
        let reached = line.reached.map_or("", |reached| if reached { "yes" } else { "NO" });
        let _ = writeln!(
            text,
            "{:<48} {value:>28}  {:>22}  {goal:<8} {reached}",
            line.row.what,
            if ratio.is_empty() { ratio } else { format!("{ratio} {of}") },
        );
    }
    text
}

/// What each throughput took of the machine, which client, service and PostgreSQL share; `None` when none was measured.
pub fn costs(lines: &[Line]) -> Option<String> {
    if lines.iter().all(|line| line.cost.is_none()) {
        return None;
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<48} {:>7} {:>7} {:>9} {:>7}   {:>8} {:>9} {:>9} {:>8}",
        "", "client", "serve", "postgres", "others", "ended", "undrawn", "unsealed", "untold"
    );
    for line in lines {
        let Some(Cost { used, left }) = line.cost else { continue };
        let _ = writeln!(
            text,
            "{:<48} {:>7.2} {:>7.2} {:>9.2} {:>7.2}   {:>8} {:>9} {:>9} {:>8}",
            line.row.what,
            used.client,
            used.serve,
            used.postgres,
            used.others,
            left.ended,
            left.undrawn,
            left.unsealed,
            left.untold
        );
    }
    Some(text)
}

fn with_range(spread: &Spread, decimals: usize) -> String {
    let Spread { median, least, most } = spread;
    format!("{median:.decimals$} ({least:.decimals$}..{most:.decimals$})")
}

fn decimals(unit: &str) -> usize {
    match unit {
        "jobs/s" => 0,
        "MB" => 1,
        "cores" => 3,
        _ => 2,
    }
}

fn words(goal: Goal, of: &str) -> String {
    let text = match goal {
        Goal::AtLeast(least) => format!(">= {least} {of}"),
        Goal::AtMost(most) => format!("<= {most} {of}"),
    };
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut record = Record::default();
        for (u, ours) in [(100.0, 160.0), (200.0, 280.0), (100.0, 155.0)] {
            record.add("u", u);
            record.add("together-1000", ours);
        }
        record.add("dispatch-p50", 2.5);
        record.is_absent("pg-boss", "not installed");
        record
    }

    #[test]
    fn a_goal_is_compared_with_the_median_of_ratios_within_rounds() {
        let lines = record().lines();
        let line = lines.iter().find(|line| line.row.key == "together-1000").expect("its row");
        assert_eq!(line.ratio, Some(Spread { median: 1.55, least: 1.4, most: 1.6 }));
        assert_eq!(line.reached, Some(true));
        let line = lines.iter().find(|line| line.row.key == "dispatch-p50").expect("its row");
        assert_eq!((line.ratio, line.reached), (None, Some(false)));
    }

    #[test]
    fn the_table_has_a_row_for_what_was_measured_and_for_what_was_not() {
        let table = table(&record().lines());
        assert_eq!(table.lines().count(), 5);
        assert!(table.contains("160 (155..280) jobs/s") && table.contains("1.55 (1.40..1.60) U"), "{table}");
        assert!(table.contains("not installed") && table.contains("<= 2") && table.contains("NO"), "{table}");
    }
}
