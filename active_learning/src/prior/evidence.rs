//! Log-odds that a gene is a hit in one more screen.
//!
//! Three steps of empirical Bayes. (1) A ridge regression on gene features of the hit frequency over all
//! screens, each gene weighted by how much is known of it: what genes *like this one* do. (2) The gene's
//! own hits and misses update it as a beta-binomial whose prior is worth [`PRIOR_SCREENS`] screens.
//! (3) How well screens foretell screens unlike them bends the result ([`transfer`](super::transfer)).
//!
//! Screens that repeat each other (cell lines of one fitness study) must not be counted as independent: a
//! screen weighs 1 / sum over all screens of the squared correlation of hit calls (itself included), so
//! that k copies of one screen weigh as much as one.

use crate::data::FeatureTable;
use crate::metrics;
use crate::prior::PriorScreens;
use crate::prior::alike::{Alike, Targets};
use crate::prior::screens::HIT_SHARE;
use crate::prior::transfer::Transfer;
use crate::representation::standardise::Standardised;
use crate::{Result, tensor};
use jobs::dose;
use tch::{Kind, Tensor};

/// What the features' forecast of a gene is worth, in independent screens.
const PRIOR_SCREENS: f64 = 10.0;
/// Ridge penalty of the regression on standardised features, in genes.
const RIDGE: f64 = 150.0;
/// A gene seen in this many independent screens has half the weight of one seen in all.
const HALF_WEIGHT: f64 = 5.0;
/// Expected of a gene at least, before its features are looked at.
const LEAST_SHARE: f64 = 0.2 * HIT_SHARE;

/// What the other screens say of each gene they or the features know.
#[derive(Clone, Debug)]
pub struct HitEvidence {
    /// Of genes in the feature table, in its order: log-odds after all steps.
    pub of_features: Vec<f64>,
    /// Of genes in the prior screens, in their order: log-odds after all steps.
    pub of_screens: Vec<f64>,
    /// Of genes in the prior screens: weighted share of screens in which it is a hit.
    pub frequency: Vec<f64>,
    /// What each screen counts, where a description of the screen at hand decides it.
    pub weights: Option<Vec<f64>>,
    /// How many times as much a screen of the same kind counts, by attribute; empty without a description.
    pub times: Vec<(&'static str, f64)>,
    /// Log-odds of a gene of which nothing is known.
    pub unknown: f64,
}

impl HitEvidence {
    pub fn weigh(screens: &PriorScreens, features: &FeatureTable, rows: &Standardised) -> Result<Self> {
        let related = related(screens)?;
        let weights = independence(&related, screens.screens.len());
        let counts = count(screens, &weights);
        let forecast = forecast(screens, features, rows, &counts)?;
        let share = |hits: f64, seen: f64, expected: f64| {
            metrics::logit((hits + PRIOR_SCREENS * expected) / (seen + PRIOR_SCREENS))
        };
        let expected_of = |gene: &String| {
            // At a dose: what its compound's features say.
            let row = features.index.get(gene).or_else(|| features.index.get(dose::split(gene).0));
            let expected = row.and_then(|&row| forecast.get(row));
            expected.copied().unwrap_or(HIT_SHARE)
        };
        let expected: Vec<f64> = screens.genes.iter().map(expected_of).collect();
        let targets = Targets {
            related: &related,
            weights: &weights,
            groups: &screens.groups,
            expected: &expected,
            worth: PRIOR_SCREENS,
        };
        let alike = Alike::learn(screens, &targets)?;
        let weights_for = |target: usize| match &alike {
            Some(alike) => alike.weigh(target, &weights),
            None => weights.clone(),
        };
        let own = alike.as_ref().map(|alike| alike.weigh(screens.screens.len(), &weights));
        let counts = own.as_ref().map_or(counts, |own| count(screens, own));
        let transfer = Transfer::learn(screens, (&weights, weights_for), &related, |hits, seen, gene| {
            share(hits, seen, expected[gene])
        });
        let log_odds = |own: Option<&(f64, f64)>, expected: f64| {
            let (hits, seen) = own.copied().unwrap_or_default();
            transfer.bend(share(hits, seen, expected))
        };
        let of_screens = counts.iter().zip(&expected).map(|(own, &expected)| log_odds(Some(own), expected));
        let of_features = features.genes.iter().zip(&forecast).map(|(gene, &expected)| {
            log_odds(screens.index.get(gene).and_then(|&row| counts.get(row)), expected)
        });
        Ok(Self {
            of_screens: of_screens.collect(),
            of_features: of_features.collect(),
            frequency: counts.iter().map(|(hits, seen)| hits / seen.max(1e-9)).collect(),
            unknown: log_odds(None, HIT_SHARE),
            weights: own,
            times: alike.as_ref().map(|alike| alike.times().to_vec()).unwrap_or_default(),
        })
    }
}

/// One weight a screen, at most 1: copies of one count as one.
pub fn independent(screens: &PriorScreens) -> Result<Vec<f64>> {
    Ok(independence(&related(screens)?, screens.screens.len()))
}

/// `[screens, screens]`: squared correlations of hit calls.
pub(super) fn related(screens: &PriorScreens) -> Result<Vec<f64>> {
    let centred = centred_calls(screens);
    let shape = [screens.genes.len() as i64, screens.screens.len() as i64];
    let calls = tensor::from_f32(&centred, &shape)?;
    let gram = calls.f_transpose(0, 1)?.f_matmul(&calls)?.f_to_kind(Kind::Double)?;
    let norms = gram.f_diagonal(0, 0, 1)?.f_clamp_min(1e-9)?.f_sqrt()?;
    let correlation = gram.f_div(&norms.f_unsqueeze(0)?)?.f_div(&norms.f_unsqueeze(1)?)?;
    tensor::to_f64(&correlation.f_square()?)
}

/// One weight a screen, at most 1.
pub(super) fn independence(related: &[f64], width: usize) -> Vec<f64> {
    related.chunks_exact(width).map(|row| 1.0 / row.iter().sum::<f64>().max(1.0)).collect()
}

/// Hit calls less their mean in the screen; 0 where not measured.
fn centred_calls(screens: &PriorScreens) -> Vec<f32> {
    let width = screens.screens.len();
    let mut sums = vec![(0.0f32, 0.0f32); width];
    for row in screens.hit.chunks_exact(width) {
        for (call, (hits, seen)) in row.iter().zip(&mut sums).filter(|(call, _)| !call.is_nan()) {
            *hits += call;
            *seen += 1.0;
        }
    }
    let centre = |(call, (hits, seen)): (&f32, &(f32, f32))| {
        if call.is_nan() { 0.0 } else { call - hits / seen.max(1.0) }
    };
    screens.hit.chunks_exact(width).flat_map(|row| row.iter().zip(&sums).map(centre)).collect()
}

/// Per gene of the screens: weighted hits, weighted screens that measured it.
fn count(screens: &PriorScreens, weights: &[f64]) -> Vec<(f64, f64)> {
    let per_gene = |row: &[f32]| {
        let known = row.iter().zip(weights).filter(|(call, _)| !call.is_nan());
        known.fold((0.0, 0.0), |(hits, seen), (call, weight)| {
            (hits + f64::from(*call) * weight, seen + weight)
        })
    };
    screens.hit.chunks_exact(screens.screens.len()).map(per_gene).collect()
}

/// Expected share of hits of each gene of the feature table, from its features alone.
fn forecast(
    screens: &PriorScreens,
    features: &FeatureTable,
    rows: &Standardised,
    counts: &[(f64, f64)],
) -> Result<Vec<f64>> {
    let mut used = Vec::new();
    let mut shares = Vec::new();
    let mut weights = Vec::new();
    for (row, gene) in features.genes.iter().enumerate() {
        if let Some(&(hits, seen)) = screens.index.get(gene).and_then(|&own| counts.get(own))
            && seen > 0.0
        {
            used.push(row as i64);
            shares.push(hits / seen);
            weights.push(seen / (seen + HALF_WEIGHT));
        }
    }
    if used.is_empty() {
        return Ok(vec![HIT_SHARE; features.genes.len()]);
    }
    let total: f64 = weights.iter().sum();
    let mean = shares.iter().zip(&weights).map(|(share, weight)| share * weight).sum::<f64>() / total;
    // Screens without a hit do not make hits impossible.
    let mean = mean.max(LEAST_SHARE);
    let all = tensor::from_f32(&rows.values, &[features.genes.len() as i64, features.width() as i64])?;
    let x = all.f_index_select(0, &Tensor::f_from_slice(&used)?)?;
    let w = tensor::from_f64(&weights, &[-1, 1])?.f_to_kind(Kind::Float)?;
    let residuals: Vec<f64> = shares.iter().map(|share| share - mean).collect();
    let y = tensor::from_f64(&residuals, &[-1, 1])?.f_to_kind(Kind::Float)?;
    let xt = x.f_mul(&w)?.f_transpose(0, 1)?;
    let gram = xt.f_matmul(&x)?.f_to_kind(Kind::Double)?;
    let penalty = Tensor::f_eye(features.width() as i64, (Kind::Double, gram.device()))? * RIDGE;
    let gram = gram.f_add(&penalty)?;
    let right = xt.f_matmul(&y)?.f_to_kind(Kind::Double)?;
    let solved = Tensor::f_linalg_solve(&gram, &right, true)?.f_to_kind(Kind::Float)?;
    let expected = tensor::to_f64(&all.f_matmul(&solved)?)?;
    // The regression is linear in a share: keep it one.
    Ok(expected.iter().map(|residual| (mean + residual).clamp(0.2 * mean, 0.8)).collect())
}
