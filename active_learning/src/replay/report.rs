//! What a replay found, as numbers: rows, means over seeds, CSV.

use crate::metrics;
use crate::replay::Replay;
use crate::train::Cell;
use jobs::Experiment;
use serde::Serialize;

/// One round of one seed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Round {
    pub seed: u64,
    /// From 1.
    pub round: usize,
    pub hits: usize,
    /// Of the batch, chosen to learn from; the rest for being likely hits.
    pub learning: usize,
    pub hits_so_far: usize,
    /// Hits so far over all hits.
    pub hit_ratio: f64,
    /// Hits that drawing at random has found by now, on average: exact.
    pub random_hits: f64,
    /// Hits so far over [`random_hits`](Self::random_hits).
    pub enrichment: f64,
    /// Of the intervals on what came back; none in a round that was proposed without any value.
    pub coverage_50: Option<f64>,
    pub coverage_80: Option<f64>,
    pub coverage_90: Option<f64>,
    /// Continuous ranked probability score on what came back, in the screen's units.
    pub crps: Option<f64>,
    pub log_score: Option<f64>,
    /// Calibration error of the probabilities of those that were asked for.
    pub hit_ece: Option<f64>,
    /// The same of all that was not asked for before this round.
    pub pool_coverage_50: Option<f64>,
    pub pool_coverage_80: Option<f64>,
    pub pool_coverage_90: Option<f64>,
    pub pool_crps: Option<f64>,
    pub pool_hit_ece: Option<f64>,
    /// Mean log probability of what happened, in nats.
    pub pool_hit_log_score: Option<f64>,
    /// On held-out folds, before this round.
    pub held_out_coverage_90: Option<f64>,
    pub held_out_hit_ece: Option<f64>,
    pub train_seconds: f64,
    pub select_seconds: f64,
    /// Of the whole process so far.
    pub peak_memory_mib: Option<f64>,
    /// What an automatic batch is for, and why.
    pub explanation: String,
}

impl Round {
    pub(super) fn place(&mut self, seed: u64, round: usize, before: Option<&Self>, random: (f64, usize)) {
        self.seed = seed;
        self.round = round;
        self.hits_so_far = before.map_or(0, |row| row.hits_so_far) + self.hits;
        self.random_hits = random.0;
        self.enrichment = self.hits_so_far as f64 / random.0.max(1e-12);
        self.hit_ratio = self.hits_so_far as f64 / random.1.max(1) as f64;
    }

    pub(super) fn cost(&mut self, cell: &Cell, train_seconds: f64, select_seconds: f64) {
        self.held_out_coverage_90 = cell.header.metrics.coverage_90;
        self.held_out_hit_ece = cell.header.metrics.hit_ece;
        self.train_seconds = train_seconds;
        self.select_seconds = select_seconds;
        self.peak_memory_mib = peak_memory_mib();
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub pool: usize,
    pub hits: usize,
    pub rounds: usize,
    pub batch: usize,
    pub seeds: usize,
    pub permuted_feedback: bool,
    /// Hits found over all hits, mean over seeds.
    pub hit_ratio_mean: f64,
    pub hit_ratio_sd: Option<f64>,
    pub hits_mean: f64,
    /// Exact: asked for over pool.
    pub random_expectation: f64,
    pub enrichment_mean: f64,
    pub coverage_50_mean: Option<f64>,
    pub coverage_80_mean: Option<f64>,
    pub coverage_90_mean: Option<f64>,
    /// Mean over rounds of batches' calibration errors; each holds the noise of a small batch.
    pub hit_ece_mean: Option<f64>,
    /// Calibration error of all that was asked for, of all rounds and seeds together.
    pub hit_ece_asked: Option<f64>,
    /// Means over rounds, of all that was not asked for yet.
    pub pool_coverage_90_mean: Option<f64>,
    pub pool_hit_ece_mean: Option<f64>,
    pub pool_hit_log_score_mean: Option<f64>,
    /// The hit ratio that a replicate of this very screen reaches, where one was given.
    pub replicate_ceiling: Option<f64>,
    /// The other screens that the learner knew, and those of the same files that it was not to know.
    pub prior_screens: Vec<String>,
    pub prior_screens_left_out: Vec<String>,
    pub rows: Vec<Round>,
    /// In the order they were asked for, seed by seed.
    #[serde(skip)]
    pub asked: Vec<Experiment>,
}

impl Report {
    pub(super) fn of(
        replay: &Replay,
        seeds: &[u64],
        rows: Vec<Round>,
        asked: Vec<Experiment>,
        calls: &[(f64, bool)],
    ) -> Self {
        let (pool, hits) = (replay.oracle.pool().len(), replay.oracle.hits());
        let found = |seed: &u64| -> f64 {
            rows.iter().filter(|row| row.seed == *seed).map(|row| row.hits as f64).sum()
        };
        let ratios: Vec<f64> = seeds.iter().map(|seed| found(seed) / hits.max(1) as f64).collect();
        let hit_ratio_mean = metrics::mean(ratios.iter().copied()).unwrap_or(0.0);
        let random_expectation = (replay.rounds * replay.batch).min(pool) as f64 / pool.max(1) as f64;
        let mean = |of: fn(&Round) -> Option<f64>| metrics::mean(rows.iter().filter_map(of));
        Self {
            pool,
            hits,
            rounds: replay.rounds,
            batch: replay.batch,
            seeds: seeds.len(),
            permuted_feedback: replay.permute_feedback,
            hit_ratio_mean,
            hit_ratio_sd: metrics::sd(&ratios),
            hits_mean: hit_ratio_mean * hits as f64,
            random_expectation,
            enrichment_mean: hit_ratio_mean / random_expectation.max(1e-12),
            coverage_50_mean: mean(|row| row.coverage_50),
            coverage_80_mean: mean(|row| row.coverage_80),
            coverage_90_mean: mean(|row| row.coverage_90),
            hit_ece_mean: mean(|row| row.hit_ece),
            hit_ece_asked: metrics::expected_calibration_error(calls),
            pool_coverage_90_mean: mean(|row| row.pool_coverage_90),
            pool_hit_ece_mean: mean(|row| row.pool_hit_ece),
            pool_hit_log_score_mean: mean(|row| row.pool_hit_log_score),
            replicate_ceiling: None,
            prior_screens: Vec::new(),
            prior_screens_left_out: Vec::new(),
            rows,
            asked,
        }
    }

    /// The rows as CSV, one a round and seed.
    pub fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &self.rows {
            writer.serialize(row)?;
        }
        writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
    }

    /// Hit ratio after each round, from 0: seed by seed.
    pub fn curves(&self) -> Vec<Vec<f64>> {
        let mut curves: Vec<Vec<f64>> = Vec::new();
        for row in &self.rows {
            if row.round == 1 {
                curves.push(vec![0.0]);
            }
            if let Some(curve) = curves.last_mut() {
                curve.push(row.hit_ratio);
            }
        }
        curves
    }
}

/// The most memory that this process ever had, where the system says.
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
