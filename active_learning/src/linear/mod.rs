//! Bayesian linear models on the summed features of a perturbation's edits: the exact posterior for the
//! value, and for the hit two lines and a forest. Of the edits' features nothing but their sum enters: the
//! value's model *is* the additive null.
//!
//! Value: conjugate Gaussian regression, precisions by evidence maximisation ([`regression`]; Bishop 2006,
//! section 3.5). Hit: [`hit`].

pub mod columns;
mod descent;
pub mod forest;
pub mod hit;
mod levels;
pub mod logistic;
pub mod regression;
pub mod replicates;

use crate::calibration::HeldOut;
use crate::metrics::Forecast;
use crate::model::{Posterior, Stop, TrainingSet};
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use crate::{Result, tensor};
use columns::Layout;
use hit::{Cases, HitModel, Prior};
use rand_chacha::ChaCha8Rng;
use regression::Regression;
use replicates::Replicates;
use tch::{Kind, Tensor};

#[derive(Debug)]
pub struct BayesianLinear {
    /// Those it knows, in the order of their columns.
    pub contexts: Vec<String>,
    pub layout: Layout,
    pub value: Regression,
    pub hit: HitModel,
}

/// Trains on all rows; predicts each fold by a model of the others.
pub(crate) fn fit(
    vocabulary: &Vocabulary,
    set: &TrainingSet,
    (contexts, layout): (&[String], &Layout),
    seed: u64,
    stop: &Stop,
) -> Result<(BayesianLinear, Vec<HeldOut>)> {
    let columns = layout.columns(vocabulary, &set.encoded, contexts)?;
    let prior = layout.hit_prior(vocabulary, contexts.len())?;
    let mut rng = seed::stream(seed, Purpose::Trees);
    let mut on = |rows: &[usize]| -> Result<BayesianLinear> {
        stop.check()?;
        BayesianLinear::fit(&select(&columns, rows)?, set, rows, (contexts, layout), &prior, &mut rng)
    };
    let all: Vec<usize> = (0..set.len()).collect();
    let model = on(&all)?;
    let mut held_out = Vec::new();
    for fold in 0..set.fold_count {
        let (rows, rest): (Vec<usize>, Vec<usize>) = all.iter().partition(|&&row| set.folds[row] == fold);
        let others = on(&rest)?;
        let x = select(&columns, &rows)?.f_to_kind(Kind::Float)?;
        let posterior = others.posterior(&x, 0, 0)?;
        held_out.extend(rows.into_iter().enumerate().map(|(i, row)| HeldOut {
            row,
            fold,
            forecast: Forecast { mean: posterior.mean[i], sd: posterior.sd(i), observed: set.values[row] },
            aleatoric_sd: posterior.aleatoric_sd[i],
            hit_log_odds: posterior.hit_log_odds[i],
            hit: set.hits[row] > 0.5,
        }));
    }
    Ok((model, held_out))
}

fn select(columns: &Tensor, rows: &[usize]) -> Result<Tensor> {
    let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    Ok(columns.f_index_select(0, &Tensor::f_from_slice(&rows)?)?)
}

impl BayesianLinear {
    /// `x`: the columns of `rows` of `set`.
    fn fit(
        x: &Tensor,
        set: &TrainingSet,
        rows: &[usize],
        (contexts, layout): (&[String], &Layout),
        prior: &Prior,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let of = |all: &[f64]| rows.iter().map(|&row| all[row]).collect::<Vec<f64>>();
        let (hits, values) = (of(&set.hits), of(&set.values));
        Ok(Self {
            contexts: contexts.to_vec(),
            layout: layout.clone(),
            value: value(x, &values, &set.replicates.of(rows))?,
            hit: HitModel::fit(&Cases { x, hits: &hits, values: &values }, prior, rng)?,
        })
    }

    pub(crate) fn predict(
        &self,
        vocabulary: &Vocabulary,
        encoded: &Encoded,
        samples: usize,
        seed: u64,
    ) -> Result<Posterior> {
        self.posterior(&self.layout.single(vocabulary, encoded, &self.contexts)?, samples, seed)
    }

    /// `single`: `[N, P]`, single precision.
    fn posterior(&self, single: &Tensor, samples: usize, seed: u64) -> Result<Posterior> {
        let x = &single.f_to_kind(Kind::Double)?;
        // Everything that is linear in the columns, in one product: the spread, the mean, and the hit's two lines.
        let value = &self.value;
        let weights = [&value.root, &value.weights, &self.hit.above.weights, &self.hit.below.weights];
        let products = x.f_matmul(&Tensor::f_cat(&weights, 1)?.f_to_device(x.device())?)?;
        let spread = products.f_narrow(1, 0, value.root.size2()?.1)?;
        let line = |place: i64| tensor::to_f64(&products.f_select(1, place - 3)?);
        let mean = line(0)?;
        let epistemic_sd = tensor::to_f64(&regression::lengths(&spread)?)?;
        let hit_log_odds = self.hit.log_odds(single, &line(1)?, &line(2)?)?;
        Ok(Posterior {
            aleatoric_sd: vec![self.value.noise_sd(); mean.len()],
            samples: self.draws(x, samples, seed)?,
            mean,
            epistemic_sd,
            hit_log_odds,
            hit_information: Vec::new(),
        })
    }

    /// `[samples][N]`: of the noise-free value.
    fn draws(&self, x: &Tensor, samples: usize, seed: u64) -> Result<Vec<Vec<f64>>> {
        if samples == 0 {
            return Ok(Vec::new());
        }
        let width = self.value.weights.size2()?.0;
        let noise = seed::normals(&mut seed::stream(seed, Purpose::Sample), width as usize * samples);
        let noise: Vec<f64> = noise.into_iter().map(f64::from).collect();
        let noise = tensor::from_f64(&noise, &[width, samples as i64])?;
        let flat = tensor::to_f64(&self.value.sample(x, &noise)?.f_transpose(0, 1)?)?;
        Ok(flat.chunks(x.size2()?.0.max(1) as usize).map(<[f64]>::to_vec).collect())
    }
}

/// Rows count by their replicates.
fn value(x: &Tensor, values: &[f64], replicates: &Replicates) -> Result<Regression> {
    let y = tensor::from_f64(values, &[-1, 1])?;
    let plain = Regression::fit(x, &y)?;
    match replicates.weights(plain.beta.recip(), 1.0) {
        None => Ok(plain),
        Some(weights) => {
            let root: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
            let root = tensor::from_f64(&root, &[-1, 1])?;
            Regression::fit(&x.f_mul(&root)?, &y.f_mul(&root)?)
        }
    }
}
