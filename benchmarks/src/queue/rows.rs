//! What is measured, against what, and what is wanted of it.

use serde::Serialize;

/// A reference of the same round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Reference {
    U,
    L,
}

impl Reference {
    /// The row that it is measured in.
    pub fn key(self) -> &'static str {
        match self {
            Reference::U => "u",
            Reference::L => "l",
        }
    }
}

/// Of the ratio, where there is a reference; else of the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    pub fn is_reached_by(self, figure: f64) -> bool {
        match self {
            Goal::AtLeast(least) => figure >= least,
            Goal::AtMost(most) => figure <= most,
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row {
    pub key: &'static str,
    pub what: &'static str,
    pub unit: &'static str,
    pub reference: Option<Reference>,
    pub goal: Option<Goal>,
}

const fn row(key: &'static str, what: &'static str, unit: &'static str) -> Row {
    Row { key, what, unit, reference: None, goal: None }
}

impl Row {
    const fn over(self, reference: Reference) -> Self {
        Self { reference: Some(reference), ..self }
    }

    const fn at_least(self, least: f64) -> Self {
        Self { goal: Some(Goal::AtLeast(least)), ..self }
    }

    const fn at_most(self, most: f64) -> Self {
        Self { goal: Some(Goal::AtMost(most)), ..self }
    }
}

use Reference::{L, U};

/// In the order of the table. The goals are those that the project has set itself for a machine of two cores.
pub const ROWS: &[Row] = &[
    row("u", "U: pgbench, one-row update, 32 clients", "jobs/s"),
    row("l", "L: pgbench, lease + complete, 8 clients", "jobs/s").over(U),
    row("graphile-worker", "graphile-worker, batched, in process", "jobs/s").over(U),
    row("pg-boss", "pg-boss, 4 x 1000, in process", "jobs/s").over(U),
    row("together-1000", "report + lease in one request, 1000 workers", "jobs/s").over(U).at_least(1.5),
    row("together-32", "report + lease in one request, 32 workers", "jobs/s").over(L).at_least(2.0),
    row("separate-1000", "report, then lease, 1000 workers", "jobs/s").over(U).at_least(0.8),
    row("separate-32", "report, then lease, 32 workers", "jobs/s").over(U),
    row("together-start-1000", "start, then report + lease, 1000 workers", "jobs/s").over(U),
    row("together-start-32", "start, then report + lease, 32 workers", "jobs/s").over(U),
    row("separate-start-1000", "start, report, lease, 1000 workers", "jobs/s").over(U),
    row("separate-start-32", "start, report, lease, 32 workers", "jobs/s").over(U),
    row("enqueue-1", "enter, 1 a transaction, 8 connections", "jobs/s").over(U),
    row("enqueue-100", "enter, 100 a transaction, 8 connections", "jobs/s").over(U),
    row("dispatch-p50", "enter to worker, p50, 1000 waiting, 20 jobs/s", "ms").at_most(2.0),
    row("dispatch-p99", "enter to worker, p99", "ms").at_most(6.0),
    row("dispatch-commit-p50", "committed to worker, p50", "ms"),
    row("dispatch-commit-p99", "committed to worker, p99", "ms"),
    row("idle-cores", "1000 waiting: serve and its backends", "cores").at_most(0.02),
    row("idle-memory", "1000 waiting: serve, resident", "MB").at_most(40.0),
    row("alone-cores", "nobody waiting: serve and its backends", "cores"),
    row("alone-memory", "nobody waiting: serve, resident", "MB"),
    row("snapshot-before", "before a snapshot is held open, 1000 workers", "jobs/s"),
    row("snapshot-after", "after it was held open for a while", "jobs/s"),
    row("snapshot-kept", "kept of the throughput", "of 1").at_least(0.5),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_has_a_key_of_its_own_and_references_come_first() {
        let keys: BTreeSet<&str> = ROWS.iter().map(|row| row.key).collect();
        assert_eq!(keys.len(), ROWS.len());
        assert_eq!((ROWS[0].key, ROWS[1].key), (U.key(), L.key()));
    }

    #[test]
    fn a_goal_is_reached_at_its_limit() {
        assert!(Goal::AtLeast(1.5).is_reached_by(1.5) && !Goal::AtLeast(1.5).is_reached_by(1.49));
        assert!(Goal::AtMost(2.0).is_reached_by(2.0) && !Goal::AtMost(2.0).is_reached_by(2.01));
    }
}
