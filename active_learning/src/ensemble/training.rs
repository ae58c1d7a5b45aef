//! Trains all members at once: those that will predict, and those that leave a fold out.

use crate::calibration::HeldOut;
use crate::ensemble::adam::Adam;
use crate::ensemble::encoder;
use crate::ensemble::heads;
use crate::ensemble::layout::Layout;
use crate::ensemble::network::{self, Batch, Ensemble, Outputs, Shape};
use crate::ensemble::pretraining::{self, Pretrained};
use crate::linear::columns;
use crate::linear::hit::Prior;
use crate::metrics::Forecast;
use crate::model::{Stop, TrainingSet};
use crate::representation::Vocabulary;
use crate::seed::{self, Purpose};
use crate::{Error, Result, device, tensor};
use jobs::work::learn::ModelSpec;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::Exp1;
use tch::{Device, Kind, Tensor};

/// Rows a step.
const BATCH: usize = 128;
const RATE: f64 = 0.02;
/// Small cuts are passed over more often than the settings say, until this many steps are made.
const FEWEST_STEPS: usize = 150;
/// Members that leave out the same fold, of an ensemble.
const MEMBERS_A_FOLD: usize = 2;
/// More would not be a small model any more.
const MOST_MEMBERS: u32 = 128;
/// How firmly lines to the outputs (value, its noise, hit) are held, beside those of the hit.
const FIRMER: [f64; heads::OUTPUTS as usize] = [1.0, 10.0, 1.0];
/// Mean square of an embedding's coordinates at a random start, about.
const USUAL_ENERGY: f64 = 0.2;
/// How far from pre-trained encoders members start, and how much freer they are held, of what it is without them.
const NEAR: f64 = 0.5;

pub(crate) fn fit(
    spec: &ModelSpec,
    vocabulary: &Vocabulary,
    set: &TrainingSet,
    contexts: usize,
    seed: u64,
    stop: &Stop,
) -> Result<(Ensemble, Vec<HeldOut>)> {
    if !(1..=MOST_MEMBERS).contains(&spec.members) {
        return Err(Error::Settings(format!("members is {}, not in 1..={MOST_MEMBERS}", spec.members)));
    }
    let members = spec.members as usize;
    let all = members + a_fold(members) * set.fold_count;
    let shape = Shape { blocks: vocabulary.blocks.clone(), contexts };
    let pretrained = if spec.pretrained { pretraining::encoders(vocabulary, stop)? } else { None };
    let layout = layout(&shape, pretrained);
    let start = layout.start(all, &mut seed::stream(seed, Purpose::Initialise));
    let start = tensor::from_f32(&start, &[all as i64, layout.width()])?;
    if let Some(Pretrained { encoder, .. }) = pretrained {
        let _ = start.f_narrow(1, 0, encoder.size2()?.1)?.f_add_(encoder)?;
    }
    let trained = if set.is_empty() {
        start
    } else {
        let weights = row_weights(set, members, all, seed)?;
        Run { shape: &shape, layout: &layout, vocabulary, set, epochs: spec.epochs as usize }
            .train(start, &weights, seed, stop)?
    };
    let held_out = held_out(&shape, &trained, vocabulary, set, members)?;
    let parameters = trained.f_narrow(0, 0, members as i64)?.f_contiguous()?;
    Ok((Ensemble { shape, parameters }, held_out))
}

/// `[parameters]`: those of the layout, but for the lines from features to outputs and the level of hits. What was found
/// for the lines of the linear family holds for these: how firmly each column's weight of a hit is held, and the level of
/// hits most of all. The value's weights are held alike, and those of its noise more firmly.
fn precisions(layout: &Layout, vocabulary: &Vocabulary) -> Result<Vec<f32>> {
    let mut all = layout.precisions();
    let Prior { precision: of_hit, .. } = columns::Layout::default().hit_prior(vocabulary, 0)?;
    let [level, _, of_columns @ ..] = of_hit.as_slice() else { return Ok(all) };
    let outputs = heads::OUTPUTS as usize;
    if let Some(bias) = layout.place("head.bias").and_then(|place| all.get_mut(place + outputs - 1)) {
        *bias = *level as f32;
    }
    let lines = layout.place("wide.weight").and_then(|place| all.get_mut(place..)).unwrap_or_default();
    for (line, precision) in lines.chunks_exact_mut(outputs).zip(of_columns) {
        for (of_output, firmer) in line.iter_mut().zip(FIRMER) {
            *of_output = (firmer * precision) as f32;
        }
    }
    Ok(all)
}

fn a_fold(members: usize) -> usize {
    MEMBERS_A_FOLD.min(members)
}

/// Where members start, and how firmly they are held there. A head on an embedding of whatever size says as much a priori.
fn layout(shape: &Shape, pretrained: Option<&Pretrained>) -> Layout {
    let mut layout = shape.layout();
    let Some(Pretrained { energy, .. }) = pretrained else { return layout };
    for piece in encoder::pieces(&shape.blocks) {
        layout.adjust(piece.name, |piece| {
            piece.spread *= NEAR;
            piece.precision /= NEAR * NEAR;
        });
    }
    layout.adjust("head.weight", |piece| piece.precision *= energy / USUAL_ENERGY);
    layout
}

/// `[all, N]`: what each member makes of each row; 0 for the fold it leaves out. A single network takes all alike.
fn row_weights(set: &TrainingSet, members: usize, all: usize, seed: u64) -> Result<Tensor> {
    let mut rng = seed::stream(seed, Purpose::Resample);
    let mut weights = Vec::with_capacity(all * set.len());
    for member in 0..all {
        for row in 0..set.len() {
            let weight: f32 = if members > 1 { rng.sample(Exp1) } else { 1.0 };
            let fold = member.checked_sub(members).map(|extra| extra / a_fold(members));
            let left_out = fold.is_some() && set.folds.get(row).copied() == fold;
            weights.push(if left_out { 0.0 } else { weight });
        }
    }
    tensor::from_f32(&weights, &[all as i64, set.len() as i64])
}

struct Run<'a> {
    shape: &'a Shape,
    layout: &'a Layout,
    vocabulary: &'a Vocabulary,
    set: &'a TrainingSet,
    epochs: usize,
}

impl Run<'_> {
    fn train(&self, start: Tensor, weights: &Tensor, seed: u64, stop: &Stop) -> Result<Tensor> {
        let device = device::heavy();
        let layout = self.layout;
        let batch = Batch::of(self.vocabulary, &self.set.encoded, device)?;
        let owner = network::owner(&self.shape.blocks)?.f_to_device(device)?;
        let edits: Vec<i64> = Vec::try_from(self.set.encoded.edits.f_reshape([-1i64])?)?;
        let targets = Targets::of(self.set, weights, device)?;
        let anchor = start.f_to_device(device)?;
        let precision = Tensor::f_from_slice(&precisions(layout, self.vocabulary)?)?.f_to_device(device)?;
        let mut parameters = anchor.copy().f_set_requires_grad(true)?;

        let rows = self.set.len();
        let per_pass = rows.div_ceil(BATCH);
        let passes = self.epochs.max(FEWEST_STEPS.div_ceil(per_pass));
        let mut adam = Adam::new(&parameters, RATE, (passes * per_pass) as u32)?;
        let mut rng = seed::stream(seed, Purpose::Shuffle);
        let mut order: Vec<i64> = (0..rows as i64).collect();
        for _ in 0..passes {
            stop.check()?;
            order.shuffle(&mut rng);
            for chunk in order.chunks(rows.div_ceil(per_pass)) {
                let picked = Tensor::f_from_slice(chunk)?.f_to_device(device)?;
                let outputs = network::forward(layout, &parameters, &batch.select(chunk, &edits)?, &owner)?;
                let scale = rows as f64 / chunk.len() as f64;
                let loss = targets.select(&picked)?.loss(&outputs)?.f_mul_scalar(scale)?;
                let gradient = Tensor::f_run_backward(&[&loss], &[&parameters], false, false)?;
                let pull = parameters.f_detach()?.f_sub(&anchor)?.f_mul_(&precision)?;
                if let Some(gradient) = gradient.first() {
                    adam.step(&mut parameters, &pull.f_add(gradient)?)?;
                }
            }
        }
        Ok(parameters.f_detach()?.f_to_device(device::HOST)?)
    }
}

struct Targets {
    /// `[N]`
    values: Tensor,
    /// `[N]`
    hits: Tensor,
    /// `[members, N]`
    weights: Tensor,
}

impl Targets {
    fn of(set: &TrainingSet, weights: &Tensor, device: Device) -> Result<Self> {
        let on = |values: &[f64]| -> Result<Tensor> {
            Ok(Tensor::f_from_slice(values)?.f_to_kind(Kind::Float)?.f_to_device(device)?)
        };
        Ok(Self { values: on(&set.values)?, hits: on(&set.hits)?, weights: weights.f_to_device(device)? })
    }

    fn select(&self, rows: &Tensor) -> Result<Self> {
        Ok(Self {
            values: self.values.f_index_select(0, rows)?,
            hits: self.hits.f_index_select(0, rows)?,
            weights: self.weights.f_index_select(1, rows)?,
        })
    }

    /// Weighted negative log likelihood, all members added up: Gaussian value plus Bernoulli hit.
    fn loss(&self, outputs: &Outputs) -> Result<Tensor> {
        let squared = outputs.mean.f_sub(&self.values)?.f_square()?;
        let scaled = squared.f_mul(&outputs.log_variance.f_neg()?.f_exp()?)?;
        let value = scaled.f_add(&outputs.log_variance)?.f_mul_scalar(0.5)?;
        // -log p(hit) = softplus(l) - hit * l
        let hit = outputs.hit_log_odds.f_softplus()?.f_sub(&outputs.hit_log_odds.f_mul(&self.hits)?)?;
        Ok(value.f_add(&hit)?.f_mul(&self.weights)?.f_sum(Kind::Float)?)
    }
}

/// Each row by the members that left it out.
fn held_out(
    shape: &Shape,
    trained: &Tensor,
    vocabulary: &Vocabulary,
    set: &TrainingSet,
    members: usize,
) -> Result<Vec<HeldOut>> {
    let mut rows = Vec::new();
    for fold in 0..set.fold_count {
        let first = (members + fold * a_fold(members)) as i64;
        let parameters = trained.f_narrow(0, first, a_fold(members) as i64)?.f_contiguous()?;
        let posterior =
            Ensemble { shape: shape.clone(), parameters }.predict(vocabulary, &set.encoded, 0, 0)?;
        rows.extend((0..set.len()).filter(|&row| set.folds[row] == fold).map(|row| HeldOut {
            row,
            fold,
            forecast: Forecast {
                mean: posterior.mean[row],
                sd: posterior.sd(row),
                observed: set.values[row],
            },
            aleatoric_sd: posterior.aleatoric_sd[row],
            hit_log_odds: posterior.hit_log_odds[row],
            hit: set.hits[row] > 0.5,
        }));
    }
    Ok(rows)
}
