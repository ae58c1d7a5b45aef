//! From a data cut to a calibrated, reproducible cell; and its predictions in the readout's own units.

use crate::alone::Alone;
use crate::calibration::{self, Calibration, FEWEST_SCORED, Judged};
use crate::checkpoint::{self, Checkpoint, Header};
use crate::data::{FurtherValue, Observation};
use crate::ensemble::{Ensemble, Shape};
use crate::linear::columns::Layout;
use crate::linear::{BayesianLinear, hit::HitModel, regression::Regression, replicates::Replicates};
use crate::metrics::median;
use crate::model::{Model, Scale, Stop, TrainingSet, kept};
use crate::prior::screens::HIT_SHARE;
use crate::readouts::{self, Head};
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use crate::sets::SetProcess;
use crate::{CODE_VERSION, Error, Result, threads};
use jobs::Experiment;
use jobs::work::learn::{ModelFamily, ModelSpec, Prediction};
use jobs::work::readout::{Readout, ReadoutPrediction};
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};

/// Parts the cut is divided into for held-out predictions.
const FOLDS: usize = 4;

/// A trained and calibrated model with everything needed to use it again.
#[derive(Debug)]
pub struct Cell {
    pub header: Header,
    pub model: Model,
    /// Of the further readouts.
    pub heads: Vec<Head>,
}

/// A prediction with the draws that go with it.
pub struct Predicted {
    /// In the readout's own units.
    pub predictions: Vec<Prediction>,
    /// What each hit call would teach, in nats, uncalibrated; empty where the model holds one opinion only.
    pub hit_information: Vec<f64>,
    /// `[samples][N]`, in the readout's own units.
    pub samples: Vec<Vec<f64>>,
}

impl Cell {
    /// Trains on `cut`, which may be empty: then the cell says what the priors say.
    pub fn train(
        vocabulary: &Vocabulary,
        cut: &[Observation],
        spec: &ModelSpec,
        seed: u64,
        stop: &Stop,
    ) -> Result<Self> {
        Ok(Self::train_and_judge(vocabulary, cut, spec, seed, stop)?.0)
    }

    /// The same, with what is said of each row by the folds that did not see it.
    pub fn train_and_judge(
        vocabulary: &Vocabulary,
        cut: &[Observation],
        spec: &ModelSpec,
        seed: u64,
        stop: &Stop,
    ) -> Result<(Self, Vec<Judged>)> {
        let contexts: BTreeSet<&str> = cut.iter().map(|row| row.experiment.context.0.as_str()).collect();
        let contexts: Vec<String> = contexts.into_iter().map(str::to_owned).collect();
        let scale = Scale::of(cut);
        let reference = median(cut.iter().map(|row| row.value)).unwrap_or(0.0);
        let (hits, hits_were_called) = hit_calls(cut, reference);
        let (folds, fold_count) = folds(cut, &hits, seed);
        let set = TrainingSet {
            encoded: Encoded::of(cut.iter().map(|row| &row.experiment), vocabulary, &contexts)?,
            values: kept(cut).into_iter().map(|value| (value - scale.mean) / scale.sd).collect(),
            hits,
            replicates: replicates(cut, scale),
            folds,
            fold_count,
        };
        let layout = Layout::of(cut, vocabulary, &contexts);
        let (model, held_out) = Model::fit(spec, vocabulary, set, (&contexts, &layout), seed, stop)?;
        let (metrics, reliability) = calibration::assess(cut.len(), &held_out);
        let header = Header {
            version: checkpoint::VERSION,
            code_version: CODE_VERSION.to_owned(),
            spec: spec.clone(),
            seed,
            blocks: vocabulary.blocks.clone(),
            contexts,
            scale,
            reference,
            calibration: Calibration::fit(&held_out),
            metrics,
            reliability,
            has_prior: vocabulary.has_prior,
            vocabulary: vocabulary.fingerprint.clone(),
            hits_were_called,
            readouts: Vec::new(),
            layout,
        };
        Ok((Self { header, model, heads: Vec::new() }, calibration::cross_fitted(&held_out)))
    }

    /// Also learns `readouts`, from their own rows; a value's `readout` is the position among them.
    pub fn learn_readouts(
        &mut self,
        vocabulary: &Vocabulary,
        readouts: &[Readout],
        values: &[FurtherValue],
        stop: &Stop,
    ) -> Result<()> {
        let Header { contexts, layout, seed, .. } = &self.header;
        self.heads = readouts::fit(vocabulary, (contexts, layout), readouts, values, *seed, stop)?;
        self.header.metrics.readouts = self.heads.iter().map(|head| head.metrics.clone()).collect();
        self.header.readouts = self.heads.iter().map(Head::described).collect();
        Ok(())
    }

    /// What the heads say of each experiment, in the order asked; empty without heads that have learnt anything.
    pub fn predict_readouts(
        &self,
        vocabulary: &Vocabulary,
        experiments: &[Experiment],
        vectors: bool,
    ) -> Result<Vec<Vec<ReadoutPrediction>>> {
        let Header { contexts, layout, .. } = &self.header;
        readouts::predict(&self.heads, vocabulary, (contexts, layout), experiments, vectors)
    }

    /// Predicts in the readout's own units, calibrated, with `samples` joint draws. The hit probability of sets that only
    /// single edits foretell is put together as [`alone`](crate::alone) says.
    pub fn predict(
        &self,
        vocabulary: &Vocabulary,
        experiments: &[Experiment],
        samples: usize,
        seed: u64,
    ) -> Result<Predicted> {
        let mut predicted = self.as_trained(vocabulary, experiments, samples, seed)?;
        if self.header.layout.singles
            && let Some(alone) = Alone::of(experiments)
        {
            let said = self.as_trained(vocabulary, &alone.experiments, 0, seed)?.predictions;
            let probabilities: Vec<f64> = said.iter().map(|it| it.hit_probability).collect();
            for (row, probability) in alone.together(&probabilities) {
                predicted.predictions[row].hit_probability = probability;
            }
        }
        Ok(predicted)
    }

    /// What the model says, whatever it was trained on.
    fn as_trained(
        &self,
        vocabulary: &Vocabulary,
        experiments: &[Experiment],
        samples: usize,
        seed: u64,
    ) -> Result<Predicted> {
        let Header { contexts, scale, calibration, .. } = &self.header;
        if !self.fits(vocabulary) {
            return Err(Error::CheckpointMismatch(self.header.vocabulary.clone()));
        }
        let posterior = self.model.predict(vocabulary, contexts, experiments, samples, seed)?;
        let factor = scale.sd * calibration.sd_factor;
        // Before any measurement nothing is known of this readout's noise: all of the doubt is ignorance.
        let unmeasured = self.header.metrics.training_rows == 0;
        let parts = |i: usize| {
            let noise = posterior.aleatoric_sd[i] * calibration.stretch.factor(posterior.hit_log_odds[i]);
            let (epistemic, aleatoric) = (factor * posterior.epistemic_sd[i], factor * noise);
            if unmeasured { (epistemic.hypot(aleatoric), 0.0) } else { (epistemic, aleatoric) }
        };
        let blank = Prediction { mean: 0.0, epistemic_sd: 0.0, aleatoric_sd: 0.0, hit_probability: 0.0 };
        let predictions = threads::collect(posterior.mean.len(), blank, |i| {
            let (epistemic_sd, aleatoric_sd) = parts(i);
            let mean = scale.mean + scale.sd * posterior.mean[i];
            let hit_probability = calibration.hit_probability(posterior.hit_log_odds[i]);
            Prediction { mean, epistemic_sd, aleatoric_sd, hit_probability }
        });
        let widened = |(value, mean): (&f64, &f64)| scale.mean + scale.sd * mean + factor * (value - mean);
        let drawn =
            posterior.samples.iter().map(|draw| draw.iter().zip(&posterior.mean).map(widened).collect());
        let samples = drawn.collect();
        Ok(Predicted { predictions, hit_information: posterior.hit_information, samples })
    }

    /// Whether it was trained with this vocabulary; it can predict with no other.
    pub fn fits(&self, vocabulary: &Vocabulary) -> bool {
        self.header.vocabulary == vocabulary.fingerprint
    }

    /// Whether it was trained for these further readouts, and no others.
    pub fn knows(&self, readouts: &[Readout]) -> bool {
        self.heads.iter().map(|head| &head.readout).eq(readouts)
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors = BTreeMap::new();
        let mut keep = |name: &str, values: &tch::Tensor| -> Result<()> {
            tensors.insert(name.to_owned(), values.shallow_clone());
            Ok(())
        };
        match &self.model {
            Model::Ensemble(model) => keep("parameters", &model.parameters)?,
            Model::Sets(model) => tensors = model.to_tensors()?,
            Model::Linear(model) => {
                keep("value.weights", &model.value.weights)?;
                keep("value.root", &model.value.root)?;
                let precisions = crate::tensor::from_f64(&[model.value.alpha, model.value.beta], &[2])?;
                keep("value.precisions", &precisions)?;
                for (name, values) in model.hit.to_tensors()? {
                    keep(&name, &values)?;
                }
            }
        }
        for (place, head) in self.heads.iter().enumerate() {
            tensors.extend(head.to_tensors(place)?);
        }
        Checkpoint { header: self.header.clone(), tensors }.to_bytes()
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let checkpoint = Checkpoint::from_bytes(bytes)?;
        let contexts = checkpoint.header.contexts.clone();
        let model = match checkpoint.header.spec.family {
            ModelFamily::Ensemble => {
                let shape = Shape { blocks: checkpoint.header.blocks.clone(), contexts: contexts.len() };
                let parameters = checkpoint.tensor("parameters")?;
                if parameters.size2()?.1 != shape.layout().width() {
                    return Err(Error::Checkpoint("its parameters do not fit its blocks".into()));
                }
                Model::Ensemble(Ensemble { shape, parameters })
            }
            ModelFamily::BayesianLinear if checkpoint.tensors.contains_key("sets.edits") => {
                Model::Sets(Box::new(SetProcess::from_tensors(|name| checkpoint.tensor(name))?))
            }
            ModelFamily::BayesianLinear => {
                let precisions = crate::tensor::to_f64(&checkpoint.tensor("value.precisions")?)?;
                let [alpha, beta] = precisions.as_slice() else {
                    return Err(Error::Checkpoint("it holds no precisions".into()));
                };
                Model::Linear(BayesianLinear {
                    contexts,
                    layout: checkpoint.header.layout.clone(),
                    value: Regression {
                        weights: checkpoint.tensor("value.weights")?,
                        root: checkpoint.tensor("value.root")?,
                        alpha: *alpha,
                        beta: *beta,
                    },
                    hit: HitModel::from_tensors(|name| checkpoint.tensor(name))?,
                })
            }
        };
        let head = |(place, described)| {
            Head::from_tensors(described, place, &checkpoint.tensors, |name| checkpoint.tensor(name))
        };
        let heads = checkpoint.header.readouts.iter().enumerate().map(head).collect::<Result<_>>()?;
        Ok(Self { header: checkpoint.header, model, heads })
    }
}

fn replicates(cut: &[Observation], scale: Scale) -> Replicates {
    let mut rows = Replicates::default();
    for row in cut {
        rows.push(row.replicates, row.sem.map(|sem| row.replicates * (sem / scale.sd).powi(2)));
    }
    rows
}

/// Hit flags; where none came, the most extreme values of the cut, either side, stand in for them.
fn hit_calls(cut: &[Observation], reference: f64) -> (Vec<f64>, bool) {
    if cut.iter().any(|row| row.hit.is_some()) {
        return (cut.iter().map(|row| f64::from(u8::from(row.hit == Some(true)))).collect(), true);
    }
    let mut distances: Vec<f64> = cut.iter().map(|row| (row.value - reference).abs()).collect();
    distances.sort_by(f64::total_cmp);
    let rank = ((1.0 - HIT_SHARE) * distances.len() as f64) as usize;
    let threshold = distances.get(rank).copied().unwrap_or(f64::INFINITY);
    let extreme = |row: &Observation| {
        let distance = (row.value - reference).abs();
        f64::from(u8::from(distance >= threshold && distance > 0.0))
    };
    (cut.iter().map(extreme).collect(), false)
}

/// All rows of a perturbation in one fold; hits dealt out evenly.
fn folds(cut: &[Observation], hits: &[f64], seed: u64) -> (Vec<usize>, usize) {
    if cut.len() < FEWEST_SCORED {
        return (Vec::new(), 0);
    }
    let mut hit_of: BTreeMap<String, bool> = BTreeMap::new();
    for (row, hit) in cut.iter().zip(hits) {
        *hit_of.entry(row.experiment.perturbation.to_string()).or_default() |= *hit > 0.5;
    }
    if hit_of.len() < FOLDS {
        return (Vec::new(), 0);
    }
    let mut order: Vec<(String, bool)> = hit_of.into_iter().collect();
    order.shuffle(&mut seed::stream(seed, Purpose::Folds));
    order.sort_by_key(|(_, hit)| *hit);
    let fold_of: BTreeMap<String, usize> =
        order.into_iter().enumerate().map(|(place, (key, _))| (key, place % FOLDS)).collect();
    let of = |row: &Observation| {
        fold_of.get(&row.experiment.perturbation.to_string()).copied().unwrap_or_default()
    };
    (cut.iter().map(of).collect(), FOLDS)
}
