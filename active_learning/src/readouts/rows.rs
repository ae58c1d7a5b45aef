//! The rows of one readout, as a head learns from them.

use crate::Result;
use crate::data::FurtherValue;
use crate::linear::{columns::Layout, replicates::Replicates};
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use jobs::Experiment;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, HashMap};
use tch::Tensor;

/// Parts that held-out scores are made from.
const FOLDS: usize = 4;
/// With fewer, nothing is held out.
const FEWEST: usize = 8;

/// N rows, each an experiment once; several values of it are one row with their mean.
pub(super) struct Rows {
    /// `[N, P]`: the columns of the linear family, double precision.
    pub x: Tensor,
    /// `[N][D]`; NaN where it was not measured.
    pub y: Vec<Vec<f64>>,
    pub replicates: Replicates,
    /// `[N]`; empty: too few to hold any out.
    pub folds: Vec<usize>,
}

/// Sums over the values of one experiment.
struct Gathered {
    sum: Vec<f64>,
    weight: Vec<f64>,
    between: Option<f64>,
}

impl Rows {
    /// `values`: of one readout with `width` components.
    pub fn of(
        vocabulary: &Vocabulary,
        (contexts, layout): (&[String], &Layout),
        values: &[&FurtherValue],
        width: usize,
        seed: u64,
    ) -> Result<Self> {
        let (experiments, gathered) = gather(values, width);
        let encoded = Encoded::of(experiments.iter().copied(), vocabulary, contexts)?;
        let mean = |row: &Gathered| row.sum.iter().zip(&row.weight).map(|(s, w)| s / w).collect();
        let mut replicates = Replicates::default();
        for row in &gathered {
            replicates.push(row.weight.iter().copied().fold(1.0, f64::max), row.between);
        }
        Ok(Self {
            x: layout.columns(vocabulary, &encoded, contexts)?,
            y: gathered.iter().map(mean).collect(),
            replicates,
            folds: folds(&experiments, seed),
        })
    }

    pub fn len(&self) -> usize {
        self.y.len()
    }

    pub fn fold_count(&self) -> usize {
        if self.folds.is_empty() { 0 } else { FOLDS }
    }

    /// Rows outside `fold`, and in it.
    pub fn split(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.len()).partition(|&row| self.folds.get(row) != Some(&fold))
    }

    pub fn columns_of(&self, rows: &[usize]) -> Result<Tensor> {
        let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        Ok(self.x.f_index_select(0, &Tensor::f_from_slice(&rows)?)?)
    }

    /// The labels of `rows`, as positions among `count`; what is none of them is left out with its row.
    pub fn labels(&self, count: usize) -> (Vec<usize>, Vec<usize>) {
        let label = |row: usize| {
            let value = *self.y.get(row)?.first()?;
            let known = value.is_finite() && value >= -0.5 && value.round() < count as f64;
            known.then(|| (row, value.round().max(0.0) as usize))
        };
        (0..self.len()).filter_map(label).unzip()
    }
}

fn gather<'a>(values: &[&'a FurtherValue], width: usize) -> (Vec<&'a Experiment>, Vec<Gathered>) {
    let mut places: HashMap<&Experiment, usize> = HashMap::new();
    let (mut experiments, mut gathered) = (Vec::new(), Vec::<Gathered>::new());
    for value in values {
        let place = *places.entry(&value.experiment).or_insert_with(|| {
            experiments.push(&value.experiment);
            gathered.push(Gathered { sum: vec![0.0; width], weight: vec![0.0; width], between: None });
            gathered.len() - 1
        });
        let row = &mut gathered[place];
        let replicates = value.replicates.max(1.0);
        if let (Some(sum), Some(weight)) =
            (row.sum.get_mut(value.component), row.weight.get_mut(value.component))
        {
            *sum += replicates * value.value;
            *weight += replicates;
        }
        row.between = row.between.or(value.sem.map(|sem| sem * sem * replicates));
    }
    (experiments, gathered)
}

/// All rows of a perturbation in one fold.
fn folds(experiments: &[&Experiment], seed: u64) -> Vec<usize> {
    let mut fold_of: BTreeMap<String, usize> = BTreeMap::new();
    for experiment in experiments {
        fold_of.entry(experiment.perturbation.to_string()).or_default();
    }
    if experiments.len() < FEWEST || fold_of.len() < FOLDS {
        return Vec::new();
    }
    let mut order: Vec<String> = fold_of.keys().cloned().collect();
    order.shuffle(&mut seed::stream(seed, Purpose::Folds));
    fold_of.extend(order.into_iter().enumerate().map(|(place, key)| (key, place % FOLDS)));
    let of = |experiment: &&Experiment| {
        fold_of.get(&experiment.perturbation.to_string()).copied().unwrap_or_default()
    };
    experiments.iter().map(of).collect()
}
