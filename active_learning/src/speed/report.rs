//! Figures of all rounds, as a table and as JSON.

use super::What;
use super::measure::Measured;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One figure.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    unit: &'static str,
    goal: Option<Goal>,
    /// In order of measurement.
    values: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

#[derive(Debug, Serialize)]
pub struct Report {
    threads: u16,
    rounds: usize,
    /// Of the system over a minute, at the beginning: more than nothing says that others work here too.
    load: Option<f64>,
    rows: Vec<Row>,
    /// What was left out, and whether the number of threads changed a batch.
    words: Vec<String>,
    #[serde(skip)]
    batches: BTreeMap<&'static str, String>,
    #[serde(skip)]
    chosen_seconds: Option<f64>,
}

const SECONDS: &str = "s";

impl Report {
    pub fn new(threads: u16, rounds: usize) -> Self {
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        let load = load.and_then(|text| text.split(' ').next()?.parse().ok());
        Self {
            threads,
            rounds,
            load,
            rows: Vec::new(),
            words: Vec::new(),
            batches: BTreeMap::new(),
            chosen_seconds: None,
        }
    }

    pub fn say(&mut self, words: String) {
        eprintln!("{words}");
        self.words.push(words);
    }

    fn found(&mut self, what: String, unit: &'static str, goal: Option<Goal>, value: f64) {
        match self.rows.iter_mut().find(|row| row.what == what) {
            Some(row) => row.values.push(value),
            None => self.rows.push(Row { what, unit, goal, values: vec![value] }),
        }
    }

    pub fn measured(&mut self, what: What, of: Measured) {
        let candidates = of.candidates;
        let (name, train_goal) = match what {
            What::Genes => (format!("{candidates} edits, 64 features"), 3.0),
            What::Pairs => (format!("{candidates} pairs of edits, 64 features"), 3.0),
            What::Full => (format!("full size: {candidates} genes, all features and screens"), 20.0),
        };
        let (second, train_goal) = (Some(Goal::AtMost(1.0)), Some(Goal::AtMost(train_goal)));
        self.found(format!("{name}: join features and screens"), SECONDS, None, of.vocabulary_seconds);
        self.found(format!("{name}: train at 640 from scratch"), SECONDS, train_goal, of.train_seconds);
        self.found(format!("{name}: score"), SECONDS, None, of.score_seconds);
        let proposing = format!("{name}: score and pick a diverse 384");
        self.found(proposing, SECONDS, second, of.propose_seconds);
        let spent = format!("{name}: of it, seconds of a core");
        self.found(spent, SECONDS, None, of.propose_core_seconds);
        let memory = Some(Goal::AtMost(1024.0));
        self.found(format!("{name}: memory beyond libtorch"), "MiB", memory, of.memory_mib);
        if what == What::Genes {
            self.chosen_seconds = Some(of.propose_seconds);
        }
        self.batches.insert(what.name(), of.batch);
    }

    /// The reference's training.
    pub fn fitted(&mut self, seconds: f64) {
        self.found("BoTorch: fit at 640".into(), SECONDS, None, seconds);
    }

    /// The reference's turn of the same round: its posterior in chunks and the top 384; the same model by hand.
    pub fn scored(&mut self, chunked: f64, by_hand: f64) {
        self.found("BoTorch: chunked posterior of 100000, top 384".into(), SECONDS, None, chunked);
        self.found("the same process by hand in torch, top 384".into(), SECONDS, None, by_hand);
        if let Some(ours) = self.chosen_seconds.take() {
            let goal = Some(Goal::AtLeast(10.0));
            self.found("BoTorch over ours, score and pick".into(), "x", goal, chunked / ours);
            self.found("by hand over ours, score and pick".into(), "x", None, by_hand / ours);
        }
    }

    /// Whether another number of threads chose the same.
    pub fn with_other_threads(&mut self, what: What, other: &Measured) {
        let same = self.batches.get(what.name()) == Some(&other.batch);
        let verb = if same { "is the same batch" } else { "is ANOTHER batch" };
        let seconds = other.propose_seconds;
        let name = what.name();
        self.say(format!(
            "{name}: with another number of threads it {verb}, scored and picked in {seconds:.2} s"
        ));
    }

    /// A line a figure: median, and least and most in parentheses.
    pub fn table(&self) -> String {
        let load = self.load.map_or("unknown".to_owned(), |load| format!("{load:.1}"));
        let mut text =
            format!("{} rounds, {} threads each side, load before {load}\n", self.rounds, self.threads);
        let _ = writeln!(text, "{:<72} {:>28}  {:<8} reached", "", "median (least..most)", "goal");
        for row in &self.rows {
            let mut sorted = row.values.clone();
            sorted.sort_by(f64::total_cmp);
            let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { continue };
            let median = (sorted[sorted.len() / 2] + sorted[(sorted.len() - 1) / 2]) / 2.0;
            let decimals = if *most < 10.0 { 2 } else { 1 };
            let value = format!("{median:.decimals$} ({least:.decimals$}..{most:.decimals$}) {}", row.unit);
            let (goal, reached) = match row.goal {
                Some(Goal::AtMost(goal)) => (format!("<= {goal}"), Some(median <= goal)),
                Some(Goal::AtLeast(goal)) => (format!(">= {goal}"), Some(median >= goal)),
                None => (String::new(), None),
            };
            let reached = reached.map_or("", |yes| if yes { "yes" } else { "NO" });
            let _ = writeln!(text, "{:<72} {value:>28}  {goal:<8} {reached}", row.what);
        }
        self.words.iter().for_each(|words| {
            let _ = writeln!(text, "{words}");
        });
        text
    }
}
