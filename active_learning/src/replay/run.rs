//! Rounds against an oracle, for several seeds.

use crate::Result;
use crate::data::Observation;
use crate::metrics::{self, Forecast, Z_90};
use crate::model::Stop;
use crate::propose::{self, Proposed, Request};
use crate::replay::Oracle;
use crate::representation::Vocabulary;
use crate::train::Cell;
use jobs::Experiment;
use jobs::work::learn::{Acquisition, ModelSpec, Objective, Proposal};
use serde::Serialize;
use std::time::Instant;

/// What is replayed and how.
pub struct Replay<'a> {
    pub vocabulary: &'a Vocabulary,
    pub oracle: &'a Oracle,
    pub spec: ModelSpec,
    pub acquisition: Acquisition,
    pub objective: Objective,
    pub rounds: usize,
    pub batch: usize,
}

/// One round of one seed.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    pub seed: u64,
    /// From 1.
    pub round: usize,
    pub hits: usize,
    pub hits_so_far: usize,
    /// Of the 90 % intervals on what came back; none in a round that was proposed without any value.
    pub coverage_90: Option<f64>,
    /// Continuous ranked probability score on what came back, in the screen's units.
    pub crps: Option<f64>,
    pub log_score: Option<f64>,
    /// Calibration error of the probabilities of those that were asked for.
    pub hit_ece: Option<f64>,
    /// On held-out folds, before this round.
    pub held_out_coverage_90: Option<f64>,
    pub held_out_hit_ece: Option<f64>,
    pub train_seconds: f64,
    pub select_seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub pool: usize,
    pub hits: usize,
    pub rounds: usize,
    pub batch: usize,
    pub seeds: usize,
    /// Hits found over all hits, mean over seeds.
    pub hit_ratio_mean: f64,
    pub hit_ratio_sd: Option<f64>,
    /// Exact: asked for over pool.
    pub random_expectation: f64,
    pub coverage_90_mean: Option<f64>,
    pub hit_ece_mean: Option<f64>,
    pub rows: Vec<Round>,
    /// In the order they were asked for, seed by seed.
    #[serde(skip)]
    pub asked: Vec<Experiment>,
}

impl Replay<'_> {
    /// Plays all `seeds`; `progress` hears of each round.
    pub fn run(&self, seeds: &[u64], mut progress: impl FnMut(&Round)) -> Result<Report> {
        let (mut rows, mut asked) = (Vec::new(), Vec::new());
        for &seed in seeds {
            let (played, cut) = self.play(seed, &mut progress)?;
            rows.extend(played);
            asked.extend(cut.into_iter().map(|row| row.experiment));
        }
        let total = self.oracle.hits();
        let found = |seed: &u64| {
            let hits = rows.iter().filter(|row| row.seed == *seed).map(|row| row.hits).sum::<usize>();
            hits as f64 / total.max(1) as f64
        };
        let ratios: Vec<f64> = seeds.iter().map(found).collect();
        let pool = self.oracle.pool().len();
        Ok(Report {
            pool,
            hits: total,
            rounds: self.rounds,
            batch: self.batch,
            seeds: seeds.len(),
            hit_ratio_mean: metrics::mean(ratios.iter().copied()).unwrap_or(0.0),
            hit_ratio_sd: metrics::sd(&ratios),
            random_expectation: (self.rounds * self.batch).min(pool) as f64 / pool.max(1) as f64,
            coverage_90_mean: metrics::mean(rows.iter().filter_map(|row| row.coverage_90)),
            hit_ece_mean: metrics::mean(rows.iter().filter_map(|row| row.hit_ece)),
            rows,
            asked,
        })
    }

    /// Rounds of one seed, and what was measured in them.
    fn play(&self, seed: u64, progress: &mut impl FnMut(&Round)) -> Result<(Vec<Round>, Vec<Observation>)> {
        let mut cut: Vec<Observation> = Vec::new();
        let mut rows: Vec<Round> = Vec::new();
        for round in 1..=self.rounds {
            let round_seed = seed.wrapping_mul(1_000).wrapping_add(round as u64);
            let from = Instant::now();
            let cell = Cell::train(self.vocabulary, &cut, &self.spec, round_seed, &Stop::default())?;
            let train_seconds = from.elapsed().as_secs_f64();
            let from = Instant::now();
            let proposed = self.propose(&cell, &cut, round_seed)?;
            let select_seconds = from.elapsed().as_secs_f64();
            let answers: Vec<Observation> =
                proposed.proposals.iter().filter_map(|p| self.oracle.ask(&p.experiment)).collect();
            let before = rows.last().map_or(0, |row| row.hits_so_far);
            let mut row = assess(&proposed.proposals, &answers, !cut.is_empty());
            row.seed = seed;
            row.round = round;
            row.hits_so_far = before + row.hits;
            row.held_out_coverage_90 = cell.header.metrics.coverage_90;
            row.held_out_hit_ece = cell.header.metrics.hit_ece;
            row.train_seconds = train_seconds;
            row.select_seconds = select_seconds;
            progress(&row);
            rows.push(row);
            cut.extend(answers);
        }
        Ok((rows, cut))
    }

    fn propose(&self, cell: &Cell, cut: &[Observation], seed: u64) -> Result<Proposed> {
        let measured: Vec<Experiment> = cut.iter().map(|row| row.experiment.clone()).collect();
        let request = Request {
            pool: self.oracle.pool(),
            cut,
            pending: &[],
            excluded: &measured,
            objective: self.objective,
            acquisition: self.acquisition,
            batch_size: self.batch,
            runners_up: 0,
            seed,
        };
        propose::propose(self.vocabulary, cell, &request)
    }
}

/// Predicted against observed, in the order of both.
fn assess(proposals: &[Proposal], answers: &[Observation], has_scale: bool) -> Round {
    let pairs = || proposals.iter().map(|proposal| proposal.prediction).zip(answers);
    let forecasts: Vec<Forecast> = pairs()
        .filter(|_| has_scale)
        .map(|(p, answer)| Forecast {
            mean: p.mean,
            sd: p.epistemic_sd.hypot(p.aleatoric_sd),
            observed: answer.value,
        })
        .collect();
    let chances: Vec<(f64, bool)> =
        pairs().map(|(p, answer)| (p.hit_probability, answer.hit == Some(true))).collect();
    let inside = |f: &Forecast| f64::from(u8::from((f.observed - f.mean).abs() <= Z_90 * f.sd));
    Round {
        seed: 0,
        round: 0,
        hits: answers.iter().filter(|answer| answer.hit == Some(true)).count(),
        hits_so_far: 0,
        coverage_90: metrics::mean(forecasts.iter().map(inside)),
        crps: metrics::mean(forecasts.iter().map(Forecast::crps)),
        log_score: metrics::mean(forecasts.iter().map(Forecast::log_score)),
        hit_ece: metrics::expected_calibration_error(&chances),
        held_out_coverage_90: None,
        held_out_hit_ece: None,
        train_seconds: 0.0,
        select_seconds: 0.0,
    }
}
