//! One head a readout: trained, scored on rows that it did not see, asked.

use super::class::Class;
use super::feasibility;
use super::ordinal::Ordinal;
use super::rows::Rows;
use super::values::Values;
use crate::data::FurtherValue;
use crate::linear::columns::Layout;
use crate::metrics;
use crate::model::Stop;
use crate::representation::{Encoded, Vocabulary};
use crate::{Result, device, tensor};
use jobs::Experiment;
use jobs::work::readout::{
    LabelProbability, Readout, ReadoutKind, ReadoutMetrics, ReadoutPrediction, ReadoutSays,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::Tensor;

/// Fewer rows teach nothing.
const FEWEST_ROWS: usize = 2;
/// Precisions of the weights of labels are tried at these shares of the hit model's.
const STRENGTHS: [f64; 3] = [1.0, 0.125, 0.015_625];
/// Nobody knows how frequent a label is before any came.
const INTERCEPT_PRECISION: f64 = 0.1;
/// Experiments asked at once: bounds the memory of large pools.
const CHUNK: usize = 16_384;

#[derive(Debug)]
pub struct Head {
    pub readout: Readout,
    pub metrics: ReadoutMetrics,
    /// `None`: nothing is measured of it yet.
    pub learnt: Option<Learnt>,
}

#[derive(Debug)]
pub enum Learnt {
    Values(Values),
    Ordinal(Ordinal),
    Class(Class),
}

/// What a checkpoint's header says of a head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Described {
    pub readout: Readout,
    pub metrics: ReadoutMetrics,
}

/// Trains a head for each of `readouts` on its own of `values`, whose `readout` is the position among them.
pub fn fit(
    vocabulary: &Vocabulary,
    known: (&[String], &Layout),
    readouts: &[Readout],
    values: &[FurtherValue],
    seed: u64,
    stop: &Stop,
) -> Result<Vec<Head>> {
    let head = |(place, readout): (usize, &Readout)| {
        stop.check()?;
        let own: Vec<&FurtherValue> = values.iter().filter(|value| value.readout == place).collect();
        Head::fit(vocabulary, known, readout, &own, seed)
    };
    readouts.iter().enumerate().map(head).collect()
}

/// What the heads say of each experiment, in the order asked. `vectors`: also of vectors, component by component.
pub fn predict(
    heads: &[Head],
    vocabulary: &Vocabulary,
    known: (&[String], &Layout),
    experiments: &[Experiment],
    vectors: bool,
) -> Result<Vec<Vec<ReadoutPrediction>>> {
    let asked = |head: &&Head| vectors || !matches!(head.readout.kind, ReadoutKind::Vector { .. });
    let heads: Vec<&Head> = heads.iter().filter(asked).filter(|head| head.learnt.is_some()).collect();
    let mut said = vec![Vec::new(); if heads.is_empty() { 0 } else { experiments.len() }];
    let device = device::for_rows(experiments.len() as i64);
    for (chunk, said) in experiments.chunks(CHUNK).zip(said.chunks_mut(CHUNK)) {
        let encoded = Encoded::of(chunk, vocabulary, known.0)?.on(device)?;
        let x = known.1.columns(vocabulary, &encoded, known.0)?;
        for head in &heads {
            let of_head = head.says(&x)?;
            said.iter_mut().zip(of_head).for_each(|(row, more)| row.extend(more));
        }
    }
    Ok(said)
}

impl Head {
    fn fit(
        vocabulary: &Vocabulary,
        known: (&[String], &Layout),
        readout: &Readout,
        values: &[&FurtherValue],
        seed: u64,
    ) -> Result<Self> {
        let width = readout.row_names().len().max(1);
        let rows = Rows::of(vocabulary, known, values, width, seed)?;
        let mut metrics = ReadoutMetrics {
            name: readout.name.clone(),
            training_rows: rows.len() as u64,
            held_out_log_score: None,
            baseline_log_score: None,
            coverage_90: None,
        };
        let learnt = if rows.len() < FEWEST_ROWS {
            None
        } else if readout.kind.labels().is_empty() {
            Some(Learnt::Values(Values::fit(&rows, &mut metrics)?))
        } else {
            let mut precision = known.1.hit_prior(vocabulary, known.0.len())?.precision;
            if let Some(intercept) = precision.first_mut() {
                *intercept = INTERCEPT_PRECISION;
            }
            let labels = Labels { rows: &rows, kind: &readout.kind, precision: &precision };
            labels.fit(&mut metrics)?
        };
        Ok(Self { readout: readout.clone(), metrics, learnt })
    }

    /// `x`: `[M, P]`. A prediction for each component of each row.
    fn says(&self, x: &Tensor) -> Result<Vec<Vec<ReadoutPrediction>>> {
        let constraint = self.readout.constraint.as_ref();
        match &self.learnt {
            None => Ok(Vec::new()),
            Some(Learnt::Values(values)) => {
                let names = self.readout.row_names();
                let predicted = values.predict(x)?;
                let rows = predicted.mean.iter().zip(&predicted.epistemic_sd);
                let row = |(means, sds): (&Vec<f64>, &Vec<f64>)| {
                    let parts = names.iter().zip(means.iter().zip(sds).zip(&predicted.aleatoric_sd));
                    let part = |(name, ((mean, epistemic), aleatoric)): (&String, ((&f64, &f64), &f64))| {
                        let sd = epistemic.hypot(*aleatoric);
                        ReadoutPrediction {
                            readout: name.clone(),
                            says: ReadoutSays::Value {
                                mean: *mean,
                                epistemic_sd: *epistemic,
                                aleatoric_sd: *aleatoric,
                            },
                            feasibility: constraint.map(|c| feasibility::of_value(c, *mean, sd)),
                        }
                    };
                    parts.map(part).collect()
                };
                Ok(rows.map(row).collect())
            }
            Some(Learnt::Ordinal(model)) => Ok(self.labelled(model.probabilities(&without_ones(x)?)?)),
            Some(Learnt::Class(model)) => Ok(self.labelled(model.probabilities(x)?)),
        }
    }

    fn labelled(&self, probabilities: Vec<Vec<f64>>) -> Vec<Vec<ReadoutPrediction>> {
        let labels = self.readout.kind.labels();
        let row = |probabilities: Vec<f64>| {
            let constraint = self.readout.constraint.as_ref();
            let each = labels.iter().zip(&probabilities);
            vec![ReadoutPrediction {
                readout: self.readout.name.clone(),
                feasibility: constraint.map(|c| feasibility::of_labels(c, labels, &probabilities)),
                says: ReadoutSays::Labels {
                    probabilities: each
                        .map(|(label, p)| LabelProbability { label: label.clone(), probability: *p })
                        .collect(),
                },
            }]
        };
        probabilities.into_iter().map(row).collect()
    }

    pub(crate) fn described(&self) -> Described {
        Described { readout: self.readout.clone(), metrics: self.metrics.clone() }
    }

    pub(crate) fn to_tensors(&self, place: usize) -> Result<BTreeMap<String, Tensor>> {
        let named = |(name, values): (&str, Tensor)| (format!("readout.{place}.{name}"), values);
        Ok(match &self.learnt {
            None => BTreeMap::new(),
            Some(Learnt::Values(values)) => values.to_tensors()?.into_iter().map(named).collect(),
            Some(Learnt::Ordinal(model)) => {
                let thresholds = tensor::from_f64(&model.thresholds, &[-1])?;
                let all = [("weights", model.weights.shallow_clone()), ("thresholds", thresholds)];
                all.into_iter().map(named).collect()
            }
            Some(Learnt::Class(model)) => {
                [("weights", model.weights.shallow_clone())].into_iter().map(named).collect()
            }
        })
    }

    pub(crate) fn from_tensors(
        described: &Described,
        place: usize,
        tensors: &BTreeMap<String, Tensor>,
        tensor_of: impl Fn(&str) -> Result<Tensor>,
    ) -> Result<Self> {
        let Described { readout, metrics } = described.clone();
        let own = |name: &str| tensor_of(&format!("readout.{place}.{name}"));
        let learnt = if !tensors.contains_key(&format!("readout.{place}.weights")) {
            None
        } else {
            Some(match readout.kind {
                ReadoutKind::Continuous | ReadoutKind::Vector { .. } => {
                    Learnt::Values(Values::from_tensors(own)?)
                }
                ReadoutKind::Ordinal { .. } => Learnt::Ordinal(Ordinal {
                    weights: own("weights")?,
                    thresholds: tensor::to_f64(&own("thresholds")?)?,
                }),
                ReadoutKind::Class { .. } => Learnt::Class(Class { weights: own("weights")? }),
            })
        };
        Ok(Self { readout, metrics, learnt })
    }
}

/// The first column is ones: the thresholds of levels stand for it.
fn without_ones(x: &Tensor) -> Result<Tensor> {
    let width = x.size2()?.1;
    Ok(x.f_narrow(1, 1, width - 1)?.f_contiguous()?)
}

/// Training for labels: the firmness of the prior is the one that foretells held-out labels best.
struct Labels<'a> {
    rows: &'a Rows,
    kind: &'a ReadoutKind,
    /// `[P]`, of the hit model.
    precision: &'a [f64],
}

impl Labels<'_> {
    fn fit(&self, metrics: &mut ReadoutMetrics) -> Result<Option<Learnt>> {
        let count = self.kind.labels().len();
        let (used, labels) = self.rows.labels(count);
        if used.len() < FEWEST_ROWS {
            return Ok(None);
        }
        let mut best = (STRENGTHS[0], None::<f64>);
        for strength in STRENGTHS {
            let score = self.held_out(&used, &labels, |x, labels| self.on(x, labels, strength))?;
            if score.is_some_and(|score| best.1.is_none_or(|so_far| score > so_far)) {
                best = (strength, score);
            }
        }
        metrics.held_out_log_score = best.1;
        metrics.baseline_log_score =
            self.held_out(&used, &labels, |_, labels| Ok(Guess::Shares(shares(labels, count))))?;
        let Guess::Model(model) = self.on(&self.rows.columns_of(&used)?, &labels, best.0)? else {
            return Ok(None);
        };
        Ok(Some(model))
    }

    fn on(&self, x: &Tensor, labels: &[usize], strength: f64) -> Result<Guess> {
        let count = self.kind.labels().len();
        let precision: Vec<f64> = self.precision.iter().map(|p| strength * p).collect();
        Ok(Guess::Model(match self.kind {
            ReadoutKind::Ordinal { .. } => Learnt::Ordinal(Ordinal::fit(
                &without_ones(x)?,
                labels,
                count,
                precision.get(1..).unwrap_or_default(),
            )?),
            _ => Learnt::Class(Class::fit(x, labels, count, &precision)?),
        }))
    }

    /// Mean log probability of the labels of held-out rows.
    fn held_out(
        &self,
        used: &[usize],
        labels: &[usize],
        train: impl Fn(&Tensor, &[usize]) -> Result<Guess>,
    ) -> Result<Option<f64>> {
        let mut scores = Vec::new();
        for fold in 0..self.rows.fold_count() {
            let is_held = |row: usize| self.rows.folds.get(row) == Some(&fold);
            let pairs = || used.iter().copied().zip(labels.iter().copied());
            let (rest, rest_labels): (Vec<_>, Vec<_>) = pairs().filter(|(row, _)| !is_held(*row)).unzip();
            let (held, held_labels): (Vec<_>, Vec<_>) = pairs().filter(|(row, _)| is_held(*row)).unzip();
            if rest.len() < FEWEST_ROWS || held.is_empty() {
                continue;
            }
            let guess = train(&self.rows.columns_of(&rest)?, &rest_labels)?;
            let said = guess.probabilities(&self.rows.columns_of(&held)?, held.len())?;
            let of =
                |(said, label): (Vec<f64>, usize)| said.get(label).copied().unwrap_or(0.0).max(1e-9).ln();
            scores.extend(said.into_iter().zip(held_labels).map(of));
        }
        Ok(metrics::mean(scores))
    }
}

enum Guess {
    Model(Learnt),
    /// The same for all.
    Shares(Vec<f64>),
}

impl Guess {
    fn probabilities(&self, x: &Tensor, rows: usize) -> Result<Vec<Vec<f64>>> {
        match self {
            Self::Shares(shares) => Ok(vec![shares.clone(); rows]),
            Self::Model(Learnt::Ordinal(model)) => model.probabilities(&without_ones(x)?),
            Self::Model(Learnt::Class(model)) => model.probabilities(x),
            Self::Model(Learnt::Values(_)) => Ok(Vec::new()),
        }
    }
}

/// Of each label, each one row richer.
fn shares(labels: &[usize], count: usize) -> Vec<f64> {
    let of = |k: usize| labels.iter().filter(|label| **label == k).count() as f64 + 1.0;
    (0..count).map(|k| of(k) / (labels.len() + count) as f64).collect()
}
