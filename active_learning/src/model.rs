//! What the model families have in common: what goes in, what comes out.

use crate::calibration::HeldOut;
use crate::data::Observation;
use crate::linear::columns::Layout;
use crate::linear::replicates::Replicates;
use crate::novelty::Novel;
use crate::representation::{Encoded, Vocabulary};
use crate::{Error, Result, device, ensemble, linear, sets};
use jobs::Experiment;
use jobs::work::learn::{ModelFamily, ModelSpec};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Experiments scored at once: bounds the memory of large pools.
pub(crate) const CHUNK: usize = 16_384;
/// Fewer sets of edits than this teach nothing of what edits do together.
const FEWEST_SETS: usize = 16;

/// A value further from the median, in robust sd (1.4826 times the median deviation), is taken for one this far where all are
/// brought to one scale: one slip of a reader must not make all others alike.
const OUTLIER: f64 = 10.0;

/// How values are brought to mean 0 and sd 1 for training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// In the readout's own units.
    pub mean: f64,
    pub sd: f64,
}

impl Scale {
    pub fn of(cut: &[Observation]) -> Self {
        let values = kept(cut);
        let mean = crate::metrics::mean(values.iter().copied()).unwrap_or(0.0);
        let sd = crate::metrics::sd(&values).filter(|sd| *sd > 1e-12).unwrap_or(1.0);
        Self { mean, sd }
    }
}

/// Values, none further out than [`OUTLIER`]. Where half of them are one value nobody knows what is far.
pub(crate) fn kept(cut: &[Observation]) -> Vec<f64> {
    let values: Vec<f64> = cut.iter().map(|row| row.value).collect();
    let middle = crate::metrics::median(values.iter().copied()).unwrap_or(0.0);
    let deviation = crate::metrics::median(values.iter().map(|value| (value - middle).abs())).unwrap_or(0.0);
    let limit = if deviation > 0.0 { OUTLIER * 1.4826 * deviation } else { f64::INFINITY };
    values.into_iter().map(|value| value.clamp(middle - limit, middle + limit)).collect()
}

/// The data cut as a model sees it.
#[derive(Debug)]
pub struct TrainingSet {
    pub encoded: Encoded,
    /// `[N]`, standardised.
    pub values: Vec<f64>,
    /// `[N]`: 1 hit, 0 not.
    pub hits: Vec<f64>,
    /// `[N]`, in standardised units.
    pub replicates: Replicates,
    /// `[N]`: the held-out fold of each row; all rows of one perturbation share one. Empty: no folds.
    pub folds: Vec<usize>,
    pub fold_count: usize,
}

impl TrainingSet {
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Set from outside to end a training early.
#[derive(Clone, Debug, Default)]
pub struct Stop(std::sync::Arc<AtomicBool>);

impl Stop {
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
    }
}

/// Predictive distributions, in standardised units, before calibration. All of length N.
#[derive(Clone, Debug, Default)]
pub struct Posterior {
    pub mean: Vec<f64>,
    pub epistemic_sd: Vec<f64>,
    pub aleatoric_sd: Vec<f64>,
    pub hit_log_odds: Vec<f64>,
    /// What the hit call would teach of hits, in nats, where the family has several opinions; else empty.
    pub hit_information: Vec<f64>,
    /// `[samples][N]`: joint draws of the noise-free value.
    pub samples: Vec<Vec<f64>>,
}

impl Posterior {
    pub(crate) fn append(&mut self, more: Self) {
        self.mean.extend(more.mean);
        self.epistemic_sd.extend(more.epistemic_sd);
        self.aleatoric_sd.extend(more.aleatoric_sd);
        self.hit_log_odds.extend(more.hit_log_odds);
        self.hit_information.extend(more.hit_information);
        if self.samples.is_empty() {
            self.samples = more.samples;
        } else {
            self.samples.iter_mut().zip(more.samples).for_each(|(all, new)| all.extend(new));
        }
    }

    /// Predictive sd of both parts of row `i`.
    pub fn sd(&self, i: usize) -> f64 {
        self.epistemic_sd[i].hypot(self.aleatoric_sd[i])
    }
}

/// A trained model of either family.
#[derive(Debug)]
pub enum Model {
    Ensemble(ensemble::Ensemble),
    Linear(linear::BayesianLinear),
    /// The linear family's model of sets of edits: the additive part and what two edits do together.
    Sets(Box<sets::SetProcess>),
}

impl Model {
    /// Trains on `set`; also predicts each row by a model that did not see its fold.
    pub fn fit(
        spec: &ModelSpec,
        vocabulary: &Vocabulary,
        set: TrainingSet,
        (contexts, layout): (&[String], &Layout),
        seed: u64,
        stop: &Stop,
    ) -> Result<(Self, Vec<HeldOut>)> {
        match spec.family {
            ModelFamily::Ensemble => {
                let (model, rows) = ensemble::fit(spec, vocabulary, &set, contexts.len(), seed, stop)?;
                Ok((Self::Ensemble(model), rows))
            }
            ModelFamily::BayesianLinear if sets::has_sets(&set.encoded) && set.len() >= FEWEST_SETS => {
                let (model, rows) = sets::fit(vocabulary, set, stop)?;
                Ok((Self::Sets(Box::new(model)), rows))
            }
            ModelFamily::BayesianLinear => {
                let (model, rows) = linear::fit(vocabulary, &set, (contexts, layout), seed, stop)?;
                Ok((Self::Linear(model), rows))
            }
        }
    }

    /// Whether what is said of rows left out is of single rows, and not of a perturbation in all its contexts.
    pub fn leaves_out_rows(&self) -> bool {
        matches!(self, Self::Sets(_))
    }

    /// Predicts `experiments` with `samples` joint draws. `seed` decides the draws. Wider where the model has no
    /// input: see [`crate::novelty`].
    pub fn predict(
        &self,
        vocabulary: &Vocabulary,
        contexts: &[String],
        experiments: &[Experiment],
        samples: usize,
        seed: u64,
    ) -> Result<Posterior> {
        let mut posterior = self.posterior(vocabulary, contexts, experiments, samples, seed)?;
        let by_name = match self {
            Self::Sets(model) => model.identities()?.into_iter().collect(),
            _ => HashSet::new(),
        };
        if let Some(novel) = Novel::find(experiments, vocabulary, contexts, &by_name) {
            novel.widen(&mut posterior, self, vocabulary, contexts, seed)?;
        }
        Ok(posterior)
    }

    /// What the family itself says, chunk by chunk.
    pub(crate) fn posterior(
        &self,
        vocabulary: &Vocabulary,
        contexts: &[String],
        experiments: &[Experiment],
        samples: usize,
        seed: u64,
    ) -> Result<Posterior> {
        let mut posterior = Posterior::default();
        // One for all chunks: a pool is not answered by two kinds of arithmetic.
        let device = device::for_rows(experiments.len() as i64);
        let mut draws = match self {
            Self::Sets(model) if samples > 0 => {
                let encoded = Encoded::of(experiments, vocabulary, contexts)?.on(device)?;
                Some(model.draws(vocabulary, &encoded, samples, seed)?)
            }
            _ => None,
        };
        for chunk in experiments.chunks(CHUNK) {
            let encoded = Encoded::of(chunk, vocabulary, contexts)?;
            let first = posterior.mean.len();
            posterior.append(match self {
                Self::Ensemble(model) => model.predict(vocabulary, &encoded, samples, seed)?,
                Self::Linear(model) => model.predict(vocabulary, &encoded.on(device)?, samples, seed)?,
                Self::Sets(model) => {
                    model.predict(vocabulary, &encoded.on(device)?, draws.as_mut().map(|it| (it, first)))?
                }
            });
        }
        if let Some(draws) = draws {
            posterior.samples = draws.into_samples();
        }
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        if finite(&posterior.mean) && finite(&posterior.hit_log_odds) && finite(&posterior.epistemic_sd) {
            Ok(posterior)
        } else {
            Err(Error::NotFinite("a prediction"))
        }
    }
}
