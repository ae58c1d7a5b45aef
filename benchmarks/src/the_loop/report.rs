//! Figures of all rounds, as a table and as JSON.

use crate::figures::{Spread, spread};
use serde::Serialize;
use std::fmt::Write as _;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub what: String,
    pub unit: &'static str,
    /// At most.
    pub goal: Option<f64>,
    /// In order of measurement.
    pub values: Vec<f64>,
}

/// In order of their first measurement.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub rows: Vec<Row>,
}

impl Report {
    pub fn found(&mut self, what: impl Into<String>, unit: &'static str, goal: Option<f64>, value: f64) {
        let what = what.into();
        match self.rows.iter_mut().find(|row| row.what == what) {
            Some(row) => row.values.push(value),
            None => self.rows.push(Row { what, unit, goal, values: vec![value] }),
        }
    }

    /// Median, and least and most in parentheses.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{:<62} {:>32}  {:<8} reached", "", "median (least..most)", "goal");
        for row in &self.rows {
            let Some(Spread { median, least, most }) = spread(&row.values) else { continue };
            let decimals = if most < 1.0 { 3 } else { 1 };
            let value = format!("{median:.decimals$} ({least:.decimals$}..{most:.decimals$}) {}", row.unit);
            let goal = row.goal.map(|goal| format!("<= {goal}")).unwrap_or_default();
            let reached = row.goal.map_or("", |goal| if median <= goal { "yes" } else { "NO" });
            let _ = writeln!(text, "{:<62} {value:>32}  {goal:<8} {reached}", row.what);
        }
        text
    }
}
