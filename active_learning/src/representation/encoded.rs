//! Experiments as indices: which rows of the vocabulary, in which context.

use crate::metrics::logit;
use crate::prior::screens::HIT_SHARE;
use crate::representation::Vocabulary;
use crate::{Result, tensor};
use jobs::{Experiment, dose};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// How an edit's features grow with its dose: a Hill curve (coefficient 1) whose half-maximal dose is not known, about 1 uM
/// and within a decade or so, averaged: shallower than one curve. 0 at no dose, 1 at 1 uM, at most 2.
const STEEPNESS: f64 = 0.5 * std::f64::consts::LN_10;
/// Of a mol/l: where an edit without a dose counts.
const USUAL_LOG10_MOLAR: f64 = -6.0;

/// Experiments ready for a model. N experiments of at most K edits over U different ones.
#[derive(Debug)]
pub struct Encoded {
    /// N.
    pub count: i64,
    /// `[U]`: rows of the vocabulary.
    pub rows: Tensor,
    /// `[U]`: doses, in decades from 1 uM; 0 without one.
    pub decades: Tensor,
    /// `[N, K]`: positions in `rows`; 0 where there is no further edit.
    pub edits: Tensor,
    /// `[N, K]`: 1 for an edit, 0 where there is none.
    pub there: Tensor,
    /// `[N]`: position in the model's contexts; the last, one past them, is a context it never saw.
    pub contexts: Tensor,
    /// `[N]`: rows of the vocabulary that carry the contexts' own features; the last where there are none.
    pub context_rows: Tensor,
    /// `[N]`: log-odds that at least one of the edits is a hit in one more screen.
    pub log_odds: Tensor,
}

impl Encoded {
    /// `contexts`: those the model knows, in its order.
    pub fn of<'a>(
        experiments: impl IntoIterator<Item = &'a Experiment>,
        vocabulary: &Vocabulary,
        contexts: &[String],
    ) -> Result<Self> {
        let experiments: Vec<&Experiment> = experiments.into_iter().collect();
        let count = experiments.len();
        let most = experiments.iter().map(|e| e.perturbation.edits().len()).max().unwrap_or(1);
        let mut rows: Vec<i64> = Vec::new();
        let mut decades: Vec<f32> = Vec::new();
        let mut positions: HashMap<(i64, u32), i64> = HashMap::new();
        let mut edits = vec![0i64; count * most];
        let mut there = vec![0f32; count * most];
        let mut context_of = Vec::with_capacity(count);
        let mut context_rows = Vec::with_capacity(count);
        let mut log_odds = Vec::with_capacity(count);
        for (number, experiment) in experiments.iter().enumerate() {
            let mut survives = 1.0;
            for (slot, edit) in experiment.perturbation.edits().iter().enumerate() {
                let row = vocabulary.row(edit);
                let decade = decades_of(edit);
                let position = *positions.entry((row, decade.to_bits())).or_insert_with(|| {
                    decades.push(decade);
                    rows.push(row);
                    rows.len() as i64 - 1
                });
                edits[number * most + slot] = position;
                there[number * most + slot] = 1.0;
                let odds = vocabulary.log_odds.get(row as usize).copied().unwrap_or(0.0);
                survives *= 1.0 / (1.0 + f64::from(odds).exp());
            }
            // Without other screens nothing is known of the edits, and a set of them is a hit as often as one.
            log_odds.push(if vocabulary.has_prior {
                (((1.0 - survives) / survives) as f32).ln()
            } else {
                logit(HIT_SHARE) as f32
            });
            let known = contexts.iter().position(|context| *context == experiment.context.0);
            context_of.push(known.unwrap_or(contexts.len()) as i64);
            context_rows.push(vocabulary.row(&experiment.context.0));
        }
        if rows.is_empty() {
            rows.push(0);
            decades.push(0.0);
        }
        let shape = [count as i64, most as i64];
        Ok(Self {
            count: count as i64,
            rows: Tensor::f_from_slice(&rows)?,
            decades: Tensor::f_from_slice(&decades)?,
            edits: Tensor::f_from_slice(&edits)?.f_reshape(shape)?,
            there: tensor::from_f32(&there, &shape)?,
            contexts: Tensor::f_from_slice(&context_of)?,
            context_rows: Tensor::f_from_slice(&context_rows)?,
            log_odds: Tensor::f_from_slice(&log_odds)?,
        })
    }

    /// `count` experiments from `start` on.
    pub fn narrow(&self, start: i64, count: i64) -> Result<Self> {
        Ok(Self {
            count,
            rows: self.rows.shallow_clone(),
            decades: self.decades.shallow_clone(),
            edits: self.edits.f_narrow(0, start, count)?,
            there: self.there.f_narrow(0, start, count)?,
            contexts: self.contexts.f_narrow(0, start, count)?,
            context_rows: self.context_rows.f_narrow(0, start, count)?,
            log_odds: self.log_odds.f_narrow(0, start, count)?,
        })
    }

    /// The experiments at `rows`.
    pub fn select(&self, rows: &[i64]) -> Result<Self> {
        let at = Tensor::f_from_slice(rows)?;
        Ok(Self {
            count: rows.len() as i64,
            rows: self.rows.shallow_clone(),
            decades: self.decades.shallow_clone(),
            edits: self.edits.f_index_select(0, &at)?,
            there: self.there.f_index_select(0, &at)?,
            contexts: self.contexts.f_index_select(0, &at)?,
            context_rows: self.context_rows.f_index_select(0, &at)?,
            log_odds: self.log_odds.f_index_select(0, &at)?,
        })
    }

    /// These experiments, then those of `other`, encoded for the same model.
    pub fn join(&self, other: &Self) -> Result<Self> {
        let most = self.edits.size2()?.1.max(other.edits.size2()?.1);
        let wide = |values: &Tensor| -> Result<Tensor> {
            Ok(values.f_constant_pad_nd([0, most - values.size2()?.1])?)
        };
        let later = other.edits.f_add_scalar(self.rows.size1()?)?;
        let both = |one: &Tensor, other: &Tensor| -> Result<Tensor> { Ok(Tensor::f_cat(&[one, other], 0)?) };
        Ok(Self {
            count: self.count + other.count,
            rows: both(&self.rows, &other.rows)?,
            decades: both(&self.decades, &other.decades)?,
            edits: both(&wide(&self.edits)?, &wide(&later)?)?,
            there: both(&wide(&self.there)?, &wide(&other.there)?)?,
            contexts: both(&self.contexts, &other.contexts)?,
            context_rows: both(&self.context_rows, &other.context_rows)?,
            log_odds: both(&self.log_odds, &other.log_odds)?,
        })
    }

    /// `[U, width + blocks]`: features of the edits used, as strong as their doses, then which blocks are known.
    pub fn edit_rows(&self, vocabulary: &Vocabulary) -> Result<Tensor> {
        let x = vocabulary.x.f_index_select(0, &self.rows)?;
        let mask = vocabulary.mask.f_index_select(0, &self.rows)?;
        let strength = self.decades.f_mul_scalar(STEEPNESS)?.f_sigmoid()?.f_mul_scalar(2.0)?;
        Ok(Tensor::f_cat(&[x.f_mul(&strength.f_unsqueeze(1)?)?, mask], 1)?)
    }

    /// `[N, 2]`: decades from 1 uM, added up over the edits, and their squares.
    pub fn doses(&self) -> Result<Tensor> {
        let (count, most) = self.edits.size2()?;
        let gathered = self.decades.f_index_select(0, &self.edits.f_reshape([-1i64])?)?;
        let gathered = gathered.f_reshape([count, most])?.f_mul(&self.there)?;
        let sum = |values: &Tensor| values.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        Ok(Tensor::f_stack(&[sum(&gathered)?, sum(&gathered.f_square()?)?], 1)?)
    }

    /// `[N, width + blocks]`: the rows of each experiment's edits added up.
    pub fn summed(&self, vocabulary: &Vocabulary) -> Result<Tensor> {
        let rows = self.edit_rows(vocabulary)?;
        let (count, most) = self.edits.size2()?;
        let gathered = rows.f_index_select(0, &self.edits.f_reshape([-1i64])?)?;
        let width = rows.size2()?.1;
        let masked = gathered.f_reshape([count, most, width])?.f_mul(&self.there.f_unsqueeze(2)?)?;
        Ok(masked.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?)
    }
}

/// Whether `edit` has a dose.
pub fn has_dose(edit: &str) -> bool {
    dose::split(edit).1.is_some()
}

fn decades_of(edit: &str) -> f32 {
    dose::split(edit).1.map_or(0.0, |dose| (dose.log10_molar() - USUAL_LOG10_MOLAR) as f32)
}
