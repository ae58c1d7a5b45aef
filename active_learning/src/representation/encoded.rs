//! Experiments as indices: which rows of the vocabulary, in which context.

use crate::metrics::logit;
use crate::prior::screens::HIT_SHARE;
use crate::representation::Vocabulary;
use crate::representation::vocabulary::Names;
use crate::{Result, tensor, threads};
use foldhash::fast::RandomState;
use jobs::{Experiment, dose};
use std::collections::HashMap;
use tch::{Device, Kind, Tensor};

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
    /// `[U]`: what each is told from others by, at whatever dose; of those that nothing is known of, which share a row, by
    /// name.
    pub identities: Tensor,
    /// `[U]`: doses, in decades from 1 uM; 0 without one.
    pub decades: Tensor,
    /// Some edit has a dose other than 1 uM.
    pub dosed: bool,
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
        let named = named_edits(&experiments, most, &vocabulary.names);
        let mut rows: Vec<i64> = Vec::new();
        let mut identities: Vec<i64> = Vec::new();
        let mut decades: Vec<f32> = Vec::new();
        let mut positions: HashMap<(i64, u32), i64, RandomState> = HashMap::default();
        let mut edits = vec![0i64; count * most];
        let mut there = vec![0f32; count * most];
        for (slot, edit) in named.iter().enumerate().filter_map(|(slot, edit)| Some((slot, (*edit)?))) {
            edits[slot] = *positions.entry((edit.identity, edit.decades.to_bits())).or_insert_with(|| {
                decades.push(edit.decades);
                rows.push(edit.row);
                identities.push(edit.identity);
                rows.len() as i64 - 1
            });
            there[slot] = 1.0;
        }
        let of_edits = vocabulary.has_prior.then_some(vocabulary.log_odds.as_slice());
        let log_odds = threads::collect(count, 0.0, |number| {
            log_odds(named.get(number * most..(number + 1) * most).unwrap_or_default(), of_edits)
        });
        let (context_of, context_rows) = contexts_of(&experiments, vocabulary, contexts);
        if rows.is_empty() {
            rows.push(0);
            identities.push(0);
            decades.push(0.0);
        }
        let shape = [count as i64, most as i64];
        Ok(Self {
            count: count as i64,
            rows: Tensor::f_from_slice(&rows)?,
            identities: Tensor::f_from_slice(&identities)?,
            dosed: decades.iter().any(|decades| *decades != 0.0),
            decades: Tensor::f_from_slice(&decades)?,
            edits: Tensor::f_from_slice(&edits)?.f_reshape(shape)?,
            there: tensor::from_f32(&there, &shape)?,
            contexts: Tensor::f_from_slice(&context_of)?,
            context_rows: Tensor::f_from_slice(&context_rows)?,
            log_odds: Tensor::f_from_slice(&log_odds)?,
        })
    }

    /// Where it is: all of it.
    pub fn device(&self) -> Device {
        self.edits.device()
    }

    /// The same on `device`.
    pub fn on(&self, device: Device) -> Result<Self> {
        Ok(Self {
            count: self.count,
            rows: self.rows.f_to_device(device)?,
            identities: self.identities.f_to_device(device)?,
            decades: self.decades.f_to_device(device)?,
            dosed: self.dosed,
            edits: self.edits.f_to_device(device)?,
            there: self.there.f_to_device(device)?,
            contexts: self.contexts.f_to_device(device)?,
            context_rows: self.context_rows.f_to_device(device)?,
            log_odds: self.log_odds.f_to_device(device)?,
        })
    }

    /// `count` experiments from `start` on.
    pub fn narrow(&self, start: i64, count: i64) -> Result<Self> {
        Ok(Self {
            count,
            rows: self.rows.shallow_clone(),
            identities: self.identities.shallow_clone(),
            decades: self.decades.shallow_clone(),
            dosed: self.dosed,
            edits: self.edits.f_narrow(0, start, count)?,
            there: self.there.f_narrow(0, start, count)?,
            contexts: self.contexts.f_narrow(0, start, count)?,
            context_rows: self.context_rows.f_narrow(0, start, count)?,
            log_odds: self.log_odds.f_narrow(0, start, count)?,
        })
    }

    /// The experiments at `rows`.
    pub fn select(&self, rows: &[i64]) -> Result<Self> {
        let at = tensor::indices(rows, &self.edits)?;
        Ok(Self {
            count: rows.len() as i64,
            rows: self.rows.shallow_clone(),
            identities: self.identities.shallow_clone(),
            decades: self.decades.shallow_clone(),
            dosed: self.dosed,
            edits: self.edits.f_index_select(0, &at)?,
            there: self.there.f_index_select(0, &at)?,
            contexts: self.contexts.f_index_select(0, &at)?,
            context_rows: self.context_rows.f_index_select(0, &at)?,
            log_odds: self.log_odds.f_index_select(0, &at)?,
        })
    }

    /// The same where all edits that nothing is known of are one.
    pub fn with_one_unknown(&self) -> Result<Self> {
        Ok(Self { identities: self.rows.shallow_clone(), ..self.narrow(0, self.count)? })
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
            identities: both(&self.identities, &other.identities)?,
            decades: both(&self.decades, &other.decades)?,
            dosed: self.dosed || other.dosed,
            edits: both(&wide(&self.edits)?, &wide(&later)?)?,
            there: both(&wide(&self.there)?, &wide(&other.there)?)?,
            contexts: both(&self.contexts, &other.contexts)?,
            context_rows: both(&self.context_rows, &other.context_rows)?,
            log_odds: both(&self.log_odds, &other.log_odds)?,
        })
    }

    /// `[U, width + blocks]`: features of the edits used, as strong as their doses, then which blocks are known.
    pub fn edit_rows(&self, vocabulary: &Vocabulary) -> Result<Tensor> {
        let [x, mask] = vocabulary.on(self.device())?;
        let (x, mask) = (x.f_index_select(0, &self.rows)?, mask.f_index_select(0, &self.rows)?);
        if !self.dosed {
            return Ok(Tensor::f_cat(&[x, mask], 1)?);
        }
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

    /// `[N, width]` and `[N, blocks]`: features of each experiment's edits, as strong as their doses, and which blocks
    /// are known of them, added up.
    pub fn summed(&self, vocabulary: &Vocabulary) -> Result<[Tensor; 2]> {
        let (count, most) = self.edits.size2()?;
        let edits = self.edits.f_reshape([-1i64])?;
        if most == 1 && !self.dosed {
            // One edit each, as it stands in the vocabulary: nothing to add up.
            let rows = self.rows.f_index_select(0, &edits)?;
            let [x, mask] = vocabulary.on(self.device())?;
            return Ok([x.f_index_select(0, &rows)?, mask.f_index_select(0, &rows)?]);
        }
        let gathered = self.edit_rows(vocabulary)?.f_index_select(0, &edits)?;
        let width = gathered.size2()?.1;
        let masked = gathered.f_reshape([count, most, width])?.f_mul(&self.there.f_unsqueeze(2)?)?;
        let sum = masked.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
        let features = vocabulary.width();
        Ok([sum.f_narrow(1, 0, features)?, sum.f_narrow(1, features, width - features)?])
    }
}

/// An edit as the vocabulary knows it.
#[derive(Clone, Copy)]
struct NamedEdit {
    row: i64,
    identity: i64,
    /// Row whose log-odds it has: its own dose's, where other screens know that.
    evidence: i64,
    /// From 1 uM.
    decades: f32,
}

/// `[N, K]` row by row; `None` where there is no further edit.
fn named_edits(experiments: &[&Experiment], most: usize, names: &Names) -> Vec<Option<NamedEdit>> {
    threads::collect(experiments.len() * most, None, |slot| {
        let edit = experiments.get(slot / most)?.perturbation.edits().get(slot % most)?;
        Some(NamedEdit {
            row: names.row(edit),
            identity: names.identity(edit),
            evidence: names.evidence(edit),
            decades: decades_of(edit),
        })
    })
}

/// That at least one of `edits` is a hit. `of_edits`: of each row of the vocabulary, where there are other screens.
fn log_odds(edits: &[Option<NamedEdit>], of_edits: Option<&[f32]>) -> f32 {
    // Without other screens nothing is known of the edits, and a set of them is a hit as often as one.
    let Some(of_edits) = of_edits else { return logit(HIT_SHARE) as f32 };
    let mut survives = 1.0;
    for edit in edits.iter().flatten() {
        let odds = of_edits.get(edit.evidence as usize).copied().unwrap_or(0.0);
        survives *= 1.0 / (1.0 + f64::from(odds).exp());
    }
    (((1.0 - survives) / survives) as f32).ln()
}

/// `[N]` each: positions in `contexts`, and rows of the vocabulary.
fn contexts_of(
    experiments: &[&Experiment],
    vocabulary: &Vocabulary,
    contexts: &[String],
) -> (Vec<i64>, Vec<i64>) {
    let place = |context: &str| {
        let known = contexts.iter().position(|known| *known == context);
        (known.unwrap_or(contexts.len()) as i64, vocabulary.names.context(context))
    };
    // Many in a row are usually in one context.
    let mut last: Option<(&str, (i64, i64))> = None;
    let of = experiments.iter().map(|experiment| {
        let context = experiment.context.0.as_str();
        let (_, placed) =
            *last.filter(|(name, _)| *name == context).get_or_insert_with(|| (context, place(context)));
        last = Some((context, placed));
        placed
    });
    of.unzip()
}

/// Whether `edit` has a dose.
pub fn has_dose(edit: &str) -> bool {
    dose::split(edit).1.is_some()
}

fn decades_of(edit: &str) -> f32 {
    dose::split(edit).1.map_or(0.0, |dose| (dose.log10_molar() - USUAL_LOG10_MOLAR) as f32)
}
