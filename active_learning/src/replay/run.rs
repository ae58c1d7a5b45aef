//! Rounds against an oracle, for several seeds.

use crate::Result;
use crate::data::Observation;
use crate::model::Stop;
use crate::propose::{self, Proposed, Request};
use crate::replay::oracle::{Oracle, permuted};
use crate::replay::report::{Report, Round};
use crate::replay::score;
use crate::representation::Vocabulary;
use crate::seed::{self, Purpose};
use crate::train::Cell;
use jobs::Experiment;
use jobs::work::learn::{Acquisition, ModelSpec, Objective};
use std::collections::HashSet;
use std::time::Instant;

/// What is replayed and how.
pub struct Replay<'a> {
    pub vocabulary: &'a Vocabulary,
    pub oracle: &'a Oracle,
    pub spec: ModelSpec,
    pub acquisition: Acquisition,
    /// How firmly each batch is spread over the features, 0 to 1.
    pub diversity: f64,
    pub objective: Objective,
    pub rounds: usize,
    pub batch: usize,
    /// The control: every batch's answers are dealt out among its experiments. What is counted is the truth.
    pub permute_feedback: bool,
}

impl Replay<'_> {
    /// Plays all `seeds`; `progress` hears of each round.
    pub fn run(&self, seeds: &[u64], mut progress: impl FnMut(&Round)) -> Result<Report> {
        let (mut rows, mut asked, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for &seed in seeds {
            let played = self.play(seed, &mut progress)?;
            rows.extend(played.rows);
            asked.extend(played.asked);
            calls.extend(played.calls);
        }
        Ok(Report::of(self, seeds, rows, asked, &calls))
    }

    /// Rounds of one seed.
    fn play(&self, seed: u64, progress: &mut impl FnMut(&Round)) -> Result<Played> {
        let mut played = Played::default();
        // What the learner was told; differs from what was measured in the control only.
        let mut cut: Vec<Observation> = Vec::new();
        for round in 1..=self.rounds {
            let round_seed = seed.wrapping_mul(1_000).wrapping_add(round as u64);
            let from = Instant::now();
            let cell = Cell::train(self.vocabulary, &cut, &self.spec, round_seed, &Stop::default())?;
            let train_seconds = from.elapsed().as_secs_f64();
            let from = Instant::now();
            let left = u32::try_from(self.rounds - round).ok();
            let proposed = self.propose(&cell, &played.asked, &cut, (round_seed, left))?;
            let select_seconds = from.elapsed().as_secs_f64();
            let measured: Vec<Observation> =
                proposed.proposals.iter().filter_map(|p| self.oracle.ask(&p.experiment)).collect();
            let earlier: HashSet<&Experiment> = played.asked.iter().collect();
            let mut row = score::round(self.oracle, &proposed, &measured, &earlier, !cut.is_empty());
            row.place(seed, round, played.rows.last(), (self.expected(round), self.oracle.hits()));
            row.cost(&cell, train_seconds, select_seconds);
            progress(&row);
            played.rows.push(row);
            played.calls.extend(score::calls(&proposed.proposals, &measured));
            played.asked.extend(measured.iter().map(|row| row.experiment.clone()));
            cut.extend(if self.permute_feedback {
                permuted(&measured, &mut seed::stream(round_seed, Purpose::Permute))
            } else {
                measured
            });
        }
        Ok(played)
    }

    /// Hits that drawing at random finds up to and with `round`, on average: exact.
    fn expected(&self, round: usize) -> f64 {
        let pool = self.oracle.pool().len();
        self.oracle.hits() as f64 * (round * self.batch).min(pool) as f64 / pool.max(1) as f64
    }

    fn propose(
        &self,
        cell: &Cell,
        measured: &[Experiment],
        cut: &[Observation],
        (seed, rounds_left): (u64, Option<u32>),
    ) -> Result<Proposed> {
        let request = Request {
            pool: self.oracle.pool(),
            cut,
            pending: &[],
            excluded: measured,
            // Labels of a replay are the same each time.
            repeats: None,
            prices: None,
            per_plate: None,
            objective: self.objective,
            acquisition: self.acquisition,
            diversity: self.diversity,
            rounds_left,
            batch_size: self.batch,
            runners_up: 0,
            seed,
        };
        propose::propose(self.vocabulary, cell, &request)
    }
}

#[derive(Default)]
struct Played {
    rows: Vec<Round>,
    asked: Vec<Experiment>,
    /// Probability of a hit, and whether it was one, of all that was asked for.
    calls: Vec<(f64, bool)>,
}
