//! Bayesian linear models on the summed features of a perturbation's edits: the exact posterior for the
//! value, the most probable weights for the hit. No interaction between edits: this family *is* the additive null.
//!
//! Value: conjugate Gaussian regression, precisions by evidence maximisation ([`regression`]; Bishop 2006,
//! section 3.5). Hit: logistic regression with a Gaussian prior centred on the log-odds that other screens
//! give ([`logistic`]).

pub mod logistic;
pub mod regression;

use crate::calibration::HeldOut;
use crate::metrics::Forecast;
use crate::model::{Posterior, Stop, TrainingSet};
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use crate::{Result, tensor};
use logistic::Logistic;
use regression::Regression;
use tch::{Kind, Tensor};

/// Prior precision of the weight of a standardised feature in the log-odds of a hit: with some 300 features
/// all together move the log-odds by about 1.7 (one sd). Chosen on replays (30, 100, 300 do alike).
const FEATURE_PRECISION: f64 = 100.0;
const MASK_PRECISION: f64 = 10.0;
const CONTEXT_PRECISION: f64 = 4.0;
/// The log-odds from other screens enter with weight 1 +- 0.3.
const PRIOR_WEIGHT_PRECISION: f64 = 10.0;
/// The base rate of hits is within a factor of e of that of other screens, one sd.
const BASE_RATE_PRECISION: f64 = 1.0;

/// Columns: 1, log-odds from other screens, features, masks, contexts.
#[derive(Debug)]
pub struct BayesianLinear {
    pub contexts: usize,
    pub value: Regression,
    pub hit: Logistic,
}

/// Trains on all rows; predicts each fold by a model of the others.
pub(crate) fn fit(
    vocabulary: &Vocabulary,
    set: &TrainingSet,
    contexts: usize,
    stop: &Stop,
) -> Result<(BayesianLinear, Vec<HeldOut>)> {
    let columns = columns(vocabulary, &set.encoded, contexts)?;
    let (centre, precision) = hit_prior(vocabulary, contexts);
    let values = tensor::from_f64(&set.values, &[-1, 1])?;
    let hits = tensor::from_f64(&set.hits, &[-1, 1])?;
    let on = |rows: &Tensor| -> Result<BayesianLinear> {
        stop.check()?;
        let x = columns.f_index_select(0, rows)?;
        Ok(BayesianLinear {
            contexts,
            value: Regression::fit(&x, &values.f_index_select(0, rows)?)?,
            hit: Logistic::fit(&x, &hits.f_index_select(0, rows)?, &centre, &precision)?,
        })
    };
    let chosen = |keep: &dyn Fn(usize) -> bool| -> Result<Tensor> {
        let rows: Vec<i64> = (0..set.len()).filter(|&row| keep(row)).map(|row| row as i64).collect();
        Ok(Tensor::f_from_slice(&rows)?)
    };
    let model = on(&chosen(&|_| true)?)?;
    let mut held_out = Vec::new();
    for fold in 0..set.fold_count {
        let others = on(&chosen(&|row| set.folds[row] != fold)?)?;
        let rows: Vec<usize> = (0..set.len()).filter(|&row| set.folds[row] == fold).collect();
        let x = columns.f_index_select(0, &chosen(&|row| set.folds[row] == fold)?)?;
        let posterior = others.posterior(&x, 0, 0)?;
        held_out.extend(rows.into_iter().enumerate().map(|(i, row)| HeldOut {
            fold,
            forecast: Forecast { mean: posterior.mean[i], sd: posterior.sd(i), observed: set.values[row] },
            hit_log_odds: posterior.hit_log_odds[i],
            hit: set.hits[row] > 0.5,
        }));
    }
    Ok((model, held_out))
}

impl BayesianLinear {
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
        })
    }
}

/// `[N, 2 + width + blocks + contexts]`, double precision.
fn columns(vocabulary: &Vocabulary, encoded: &Encoded, contexts: usize) -> Result<Tensor> {
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

/// Centre and precision of each weight of the hit model.
fn hit_prior(vocabulary: &Vocabulary, contexts: usize) -> (Vec<f64>, Vec<f64>) {
    let mut precision = vec![BASE_RATE_PRECISION, PRIOR_WEIGHT_PRECISION];
    precision.extend(std::iter::repeat_n(FEATURE_PRECISION, vocabulary.width() as usize));
    precision.extend(std::iter::repeat_n(MASK_PRECISION, vocabulary.blocks.len()));
    precision.extend(std::iter::repeat_n(CONTEXT_PRECISION, contexts));
    let mut centre = vec![0.0; precision.len()];
    centre[1] = 1.0;
    (centre, precision)
}
