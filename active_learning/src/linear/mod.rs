//! Bayesian linear models on the summed features of a perturbation's edits: the exact posterior for the
//! value, and for the hit two lines and a forest. Of the edits' features nothing but their sum enters: the
//! value's model *is* the additive null.
//!
//! Value: conjugate Gaussian regression, precisions by evidence maximisation ([`regression`]; Bishop 2006,
//! section 3.5). Hit: [`hit`].

mod descent;
pub mod forest;
pub mod hit;
pub mod logistic;
pub mod regression;
pub mod replicates;

use crate::calibration::HeldOut;
use crate::metrics::Forecast;
use crate::model::{Posterior, Stop, TrainingSet};
use crate::representation::vocabulary::SCREENS;
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use crate::{Result, tensor};
use hit::{Cases, HitModel, Prior};
use rand_chacha::ChaCha8Rng;
use regression::Regression;
use replicates::Replicates;
use tch::{Kind, Tensor};

/// Prior variance of what all features of an edit do to the log-odds of a hit; shared out over their columns.
/// Chosen, as [`SCREENS_VARIANCE`], on replays of 18 screens of other studies (docs/virtual-cell.md).
const FEATURES_VARIANCE: f64 = 0.2;
/// The same of its scores in other screens.
const SCREENS_VARIANCE: f64 = 0.42;
const MASK_PRECISION: f64 = 10.0;
const CONTEXT_PRECISION: f64 = 4.0;
/// The log-odds from other screens, about what is usual, enter with weight 1 +- 1: how much this screen agrees with them is
/// for it to say. This and the next were chosen on twelve screens of other studies (docs/virtual-cell.md).
const PRIOR_WEIGHT_PRECISION: f64 = 1.0;
/// The base rate of hits is within a factor of 1.2 of that of other screens, one sd: what is measured was chosen as likely
/// hits, and says little of the level of the rest.
const BASE_RATE_PRECISION: f64 = 30.0;
/// Within a factor of e of the usual one where no other screens were given.
const UNKNOWN_BASE_RATE_PRECISION: f64 = 1.0;

/// Columns: 1, log-odds from other screens, features, masks, contexts.
#[derive(Debug)]
pub struct BayesianLinear {
    pub contexts: usize,
    pub value: Regression,
    pub hit: HitModel,
}

/// Trains on all rows; predicts each fold by a model of the others.
pub(crate) fn fit(
    vocabulary: &Vocabulary,
    set: &TrainingSet,
    contexts: usize,
    seed: u64,
    stop: &Stop,
) -> Result<(BayesianLinear, Vec<HeldOut>)> {
    let columns = columns(vocabulary, &set.encoded, contexts)?;
    let prior = hit_prior(vocabulary, contexts)?;
    let mut rng = seed::stream(seed, Purpose::Trees);
    let mut on = |rows: &[usize]| -> Result<BayesianLinear> {
        stop.check()?;
        BayesianLinear::fit(&select(&columns, rows)?, set, rows, contexts, &prior, &mut rng)
    };
    let all: Vec<usize> = (0..set.len()).collect();
    let model = on(&all)?;
    let mut held_out = Vec::new();
    for fold in 0..set.fold_count {
        let (rows, rest): (Vec<usize>, Vec<usize>) = all.iter().partition(|&&row| set.folds[row] == fold);
        let others = on(&rest)?;
        let x = select(&columns, &rows)?;
        let posterior = others.posterior(&x, 0, 0)?;
        held_out.extend(rows.into_iter().enumerate().map(|(i, row)| HeldOut {
            row,
            fold,
            forecast: Forecast { mean: posterior.mean[i], sd: posterior.sd(i), observed: set.values[row] },
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
        contexts: usize,
        prior: &Prior,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let of = |all: &[f64]| rows.iter().map(|&row| all[row]).collect::<Vec<f64>>();
        let (hits, values) = (of(&set.hits), of(&set.values));
        Ok(Self {
            contexts,
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
        self.posterior(&columns(vocabulary, encoded, self.contexts)?, samples, seed)
    }

    fn posterior(&self, x: &Tensor, samples: usize, seed: u64) -> Result<Posterior> {
        let (mean, epistemic_sd) = self.value.predict(x)?;
        let width = self.value.weights.size().first().copied().unwrap_or(0) as usize;
        let draws: Vec<f64> = seed::normals(&mut seed::stream(seed, Purpose::Sample), width * samples)
            .into_iter()
            .map(f64::from)
            .collect();
        let noise = tensor::from_f64(&draws, &[width as i64, samples as i64])?;
        let sampled = self.value.sample(x, &noise)?.f_transpose(0, 1)?;
        let flat = tensor::to_f64(&sampled)?;
        Ok(Posterior {
            aleatoric_sd: vec![self.value.noise_sd(); mean.len()],
            samples: flat.chunks(mean.len().max(1)).map(<[f64]>::to_vec).collect(),
            mean,
            epistemic_sd,
            hit_log_odds: self.hit.log_odds(x)?,
            hit_information: Vec::new(),
        })
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

/// `[N, 2 + width + blocks + contexts]`, double precision.
pub(crate) fn columns(vocabulary: &Vocabulary, encoded: &Encoded, contexts: usize) -> Result<Tensor> {
    let options = (Kind::Float, tch::Device::Cpu);
    let one = Tensor::f_ones([encoded.count, 1], options)?;
    let odds = encoded.log_odds.f_unsqueeze(1)?;
    let features = encoded.summed(vocabulary)?;
    // The last context, never seen, is a row of zeros.
    let contexts = contexts as i64;
    let eye = Tensor::f_eye(contexts + 1, options)?.f_narrow(1, 0, contexts)?;
    let context = eye.f_index_select(0, &encoded.contexts)?;
    Ok(Tensor::f_cat(&[one, odds, features, context], 1)?.f_to_kind(Kind::Double)?)
}

pub(crate) fn hit_prior(vocabulary: &Vocabulary, contexts: usize) -> Result<Prior> {
    let base_rate = if vocabulary.has_prior { BASE_RATE_PRECISION } else { UNKNOWN_BASE_RATE_PRECISION };
    let mut precision = vec![base_rate, PRIOR_WEIGHT_PRECISION];
    let of_screens = |name: &str| vocabulary.has_prior && name == SCREENS;
    let energies = vocabulary.energies()?;
    let features: f64 = (vocabulary.blocks.iter().zip(&energies))
        .filter(|(block, _)| !of_screens(&block.name))
        .map(|(_, energy)| energy)
        .sum();
    for (block, energy) in vocabulary.blocks.iter().zip(&energies) {
        let of_block =
            if of_screens(&block.name) { energy / SCREENS_VARIANCE } else { features / FEATURES_VARIANCE };
        precision.extend(std::iter::repeat_n(of_block.max(1.0), block.width));
    }
    precision.extend(std::iter::repeat_n(MASK_PRECISION, vocabulary.blocks.len()));
    precision.extend(std::iter::repeat_n(CONTEXT_PRECISION, contexts));
    let mut centre = vec![0.0; precision.len()];
    centre[0] = hit::usual_of_a_side();
    centre[hit::ODDS] = 1.0;
    Ok(Prior { centre, precision })
}
