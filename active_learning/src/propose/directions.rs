//! Experiments as directions: how alike two of them are, by what is known before anything is measured.

use crate::representation::{Encoded, Vocabulary};
use crate::{Result, tensor};
use jobs::Experiment;
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// Length of what a context adds: two contexts set the same edits as far apart as edits whose features have a cosine
/// of 3/4.
const CONTEXT_LENGTH: f32 = 0.5;

/// Summed features of the edits at unit length, `[N, width]`; 0 where nothing is known.
pub(super) fn of_edits(vocabulary: &Vocabulary, experiments: &[&Experiment]) -> Result<Tensor> {
    let encoded = Encoded::of(experiments.iter().copied(), vocabulary, &[])?;
    let [x, _] = encoded.summed(vocabulary)?;
    let length = x.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float)?.f_sqrt()?;
    Ok(x.f_div(&length.f_clamp_min(1e-6)?)?)
}

/// The same with the context in columns of its own where there are several, `[N, width + contexts]`.
pub(super) fn of_experiments(vocabulary: &Vocabulary, experiments: &[&Experiment]) -> Result<Tensor> {
    let edits = of_edits(vocabulary, experiments)?;
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut places = Vec::with_capacity(experiments.len());
    for experiment in experiments {
        let next = numbers.len();
        places.push(*numbers.entry(experiment.context.0.as_str()).or_insert(next));
    }
    let width = numbers.len();
    if width < 2 {
        return Ok(edits);
    }
    let mut contexts = vec![0.0; places.len() * width];
    for (row, place) in places.into_iter().enumerate() {
        contexts[row * width + place] = CONTEXT_LENGTH;
    }
    let contexts = tensor::from_f32(&contexts, &[experiments.len() as i64, width as i64])?;
    Ok(Tensor::f_cat(&[edits, contexts], 1)?)
}
