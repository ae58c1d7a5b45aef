//! What is printed.

use super::trend::{Point, Verdict, slope};
use crate::figures::Spread;
use serde::Serialize;
use std::fmt::Write as _;

/// One cost over sizes.
#[derive(Clone, Debug, Serialize)]
pub struct Growth {
    pub what: String,
    /// Milliseconds at each size.
    pub points: Vec<Point>,
    pub slope: Option<f64>,
    pub verdict: Option<Verdict>,
}

impl Growth {
    fn of(what: String, points: Vec<Point>) -> Self {
        let slope = slope(&points);
        Self { what, slope, verdict: slope.map(Verdict::of), points }
    }
}

/// Costs as they come, size by size.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    rows: Vec<(String, Vec<Point>)>,
}

impl Costs {
    /// Keeps that `what` cost `ms` at `size`.
    pub fn add(&mut self, what: &str, size: u64, ms: f64) {
        eprintln!("  {what:<44} {size:>10} {ms:>12.3} ms");
        let point = Point { size: size as f64, cost: ms };
        match self.rows.iter_mut().find(|(name, _)| name == what) {
            Some((_, points)) => points.push(point),
            None => self.rows.push((what.to_owned(), vec![point])),
        }
    }

    pub fn growths(self) -> Vec<Growth> {
        self.rows.into_iter().map(|(what, points)| Growth::of(what, points)).collect()
    }
}

/// Each cost at each size (ms), as a multiple of the first, and what that says.
pub fn growth_table(growths: &[Growth]) -> String {
    let mut text = String::new();
    for growth in growths {
        let _ = write!(text, "{:<44}", growth.what);
        let first = growth.points.first().map_or(f64::NAN, |point| point.cost);
        for point in &growth.points {
            let _ = write!(text, "  {:>9.2} ({:>6.1}x)", point.cost, point.cost / first);
        }
        let word = growth.verdict.map_or("one size", Verdict::as_str);
        let _ = writeln!(text, "  slope {:>5.2}  {word}", growth.slope.unwrap_or(f64::NAN));
    }
    text
}

/// How long one request takes, as one caller asks it.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    pub what: String,
    pub caller: &'static str,
    pub times: usize,
    pub bytes: usize,
    pub p50_ms: f64,
    pub p95_ms: f64,
}

pub fn pages_table(pages: &[Page]) -> String {
    let mut text =
        format!("{:>9} {:>9} {:>10} {:>5}  {:<8} page\n", "p50 ms", "p95 ms", "bytes", "asked", "caller");
    for page in pages {
        let Page { what, caller, times, bytes, p50_ms, p95_ms } = page;
        let _ = writeln!(text, "{p50_ms:>9.2} {p95_ms:>9.2} {bytes:>10} {times:>5}  {caller:<8} {what}");
    }
    text
}

pub fn spread_line(what: &str, unit: &str, spread: &Spread) -> String {
    format!("{what:<44} {:>9.2} {unit} ({:.2} to {:.2})\n", spread.median, spread.least, spread.most)
}
