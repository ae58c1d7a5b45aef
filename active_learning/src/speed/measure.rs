//! One measurement in this process: join the features, train, score, choose.

use super::What;
use super::made_up::{self, Material};
use active_learning::device::HOST;
use active_learning::model::Stop;
use active_learning::propose::{self, Request};
use active_learning::representation::Vocabulary;
use active_learning::train::Cell;
use jobs::Experiment;
use jobs::work::learn::{Acquisition, ModelFamily, ModelSpec, Objective};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Instant;
use tch::{Kind, Tensor};

const BATCH: usize = 384;
const DIVERSITY: f64 = 0.3;
const SEED: u64 = 1;

#[derive(Serialize, Deserialize)]
pub struct Measured {
    pub candidates: usize,
    /// From tables in memory to a vocabulary: standardised, evidence and profiles of other screens.
    pub vocabulary_seconds: f64,
    /// From scratch, held-out folds and calibration included.
    pub train_seconds: f64,
    /// Mean, epistemic sd, aleatoric sd and probability of a hit of every candidate.
    pub score_seconds: f64,
    /// The same, and a diverse batch chosen of them, with reasons.
    pub propose_seconds: f64,
    /// What all cores together spent on that, to a hundredth.
    pub propose_core_seconds: f64,
    /// The most that this process had beyond what it had once libtorch had computed something.
    pub memory_mib: f64,
    /// SHA-256 of the batch's names in order.
    pub batch: String,
}

pub fn measure(what: What, data: &Path) -> anyhow::Result<Measured> {
    wake_libtorch()?;
    let before = memory_mib("VmRSS:")?;
    let material = match what {
        What::Genes => made_up::genes()?,
        What::Pairs => made_up::pairs()?,
        What::Full => made_up::full(data)?,
    };
    let (vocabulary, vocabulary_seconds) =
        timed(|| Vocabulary::build(&material.features, material.priors.as_ref()))?;
    let Material { pool, cut, .. } = material;
    let spec = ModelSpec { family: ModelFamily::BayesianLinear, ..ModelSpec::default() };
    let (cell, train_seconds) = timed(|| Cell::train(&vocabulary, &cut, &spec, SEED, &Stop::default()))?;
    let (_, score_seconds) = timed(|| cell.predict(&vocabulary, &pool, 0, SEED))?;
    let measured: Vec<Experiment> = cut.iter().map(|row| row.experiment.clone()).collect();
    let request = Request {
        pool: &pool,
        cut: &cut,
        pending: &[],
        excluded: &measured,
        repeats: None,
        prices: None,
        per_plate: None,
        objective: Objective::Maximise,
        acquisition: Acquisition::HitProbability,
        diversity: DIVERSITY,
        rounds_left: None,
        batch_size: BATCH,
        runners_up: 0,
        seed: SEED,
    };
    let spent = core_seconds()?;
    let (proposed, propose_seconds) = timed(|| propose::propose(&vocabulary, &cell, &request))?;
    let propose_core_seconds = core_seconds()? - spent;
    let names = proposed.proposals.iter().map(|proposal| proposal.experiment.perturbation.to_string());
    Ok(Measured {
        candidates: pool.len(),
        vocabulary_seconds,
        train_seconds,
        score_seconds,
        propose_seconds,
        propose_core_seconds,
        memory_mib: memory_mib("VmHWM:")? - before,
        batch: hex::encode(Sha256::digest(names.collect::<Vec<_>>().join("\n"))),
    })
}

/// Its code is loaded and its threads are there.
fn wake_libtorch() -> anyhow::Result<()> {
    let eye = Tensor::f_eye(512, (Kind::Double, HOST))?;
    let _ = eye.f_matmul(&eye)?.f_linalg_cholesky(false)?.f_linalg_eigh("L")?;
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> active_learning::Result<T>) -> anyhow::Result<(T, f64)> {
    let from = Instant::now();
    let result = work()?;
    Ok((result, from.elapsed().as_secs_f64()))
}

/// That this process has spent: user and system in `/proc/self/stat`, in hundredths (proc(5)).
fn core_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold blanks; behind it user and system are the 12th and the 13th.
    let (_, behind) = stat.rsplit_once(')').unwrap_or_default();
    let ticks: Vec<f64> =
        behind.split_whitespace().skip(11).take(2).filter_map(|word| word.parse().ok()).collect();
    anyhow::ensure!(ticks.len() == 2, "/proc/self/stat is not as proc(5) says");
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// A line of `/proc/self/status`.
fn memory_mib(line: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().next());
    let kib: f64 = found.unwrap_or_default().parse()?;
    Ok(kib / 1024.0)
}
