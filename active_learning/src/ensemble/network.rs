//! The batched network: its shape, its parameters, its forward pass.

use crate::data::Block;
use crate::ensemble::encoder::{self, Encoder};
use crate::ensemble::heads::{self, Asked, Heads};
use crate::ensemble::layout::Layout;
use crate::ensemble::manipulator::{self, Manipulator};
use crate::representation::{Encoded, Vocabulary};
use crate::{Error, Result, tensor};
use std::collections::HashMap;
use tch::{Device, Tensor};

/// What decides the sizes of all pieces.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    pub blocks: Vec<Block>,
    pub contexts: usize,
}

impl Shape {
    pub fn layout(&self) -> Layout {
        let width: i64 = self.blocks.iter().map(|block| block.width as i64).sum();
        let features = width + self.blocks.len() as i64;
        let mut pieces = encoder::pieces(&self.blocks).to_vec();
        pieces.extend(manipulator::pieces());
        pieces.extend(heads::pieces(features, self.contexts as i64));
        Layout { pieces }
    }
}

/// Trained members.
#[derive(Debug)]
pub struct Ensemble {
    pub shape: Shape,
    /// `[members, parameters]`, on the CPU.
    pub parameters: Tensor,
}

/// Tensors of experiments, on the device the network runs on.
pub(super) struct Batch {
    pub rows: Tensor,
    pub edits: Tensor,
    pub there: Tensor,
    pub contexts: Tensor,
    pub log_odds: Tensor,
}

impl Batch {
    pub fn of(vocabulary: &Vocabulary, encoded: &Encoded, device: Device) -> Result<Self> {
        Ok(Self {
            rows: encoded.edit_rows(vocabulary)?.f_to_device(device)?,
            edits: encoded.edits.f_to_device(device)?,
            there: encoded.there.f_to_device(device)?,
            contexts: encoded.contexts.f_to_device(device)?,
            log_odds: encoded.log_odds.f_to_device(device)?,
        })
    }

    /// The experiments in `picked` (indices into N), with the edits they use and no others: `edits` and
    /// `there` are those of the whole, row by row.
    pub fn select(&self, picked: &[i64], edits: &[i64]) -> Result<Self> {
        let device = self.rows.device();
        let most = self.edits.size2()?.1;
        let mut used: Vec<i64> = Vec::new();
        let mut places: HashMap<i64, i64> = HashMap::new();
        let mut moved = Vec::with_capacity(picked.len() * most as usize);
        for &row in picked {
            let own = (row * most) as usize..((row + 1) * most) as usize;
            for &edit in edits.get(own).unwrap_or_default() {
                moved.push(*places.entry(edit).or_insert_with(|| {
                    used.push(edit);
                    used.len() as i64 - 1
                }));
            }
        }
        let rows = Tensor::f_from_slice(picked)?.f_to_device(device)?;
        let used = Tensor::f_from_slice(&used)?.f_to_device(device)?;
        Ok(Self {
            rows: self.rows.f_index_select(0, &used)?,
            edits: Tensor::f_from_slice(&moved)?.f_reshape([-1, most])?.f_to_device(device)?,
            there: self.there.f_index_select(0, &rows)?,
            contexts: self.contexts.f_index_select(0, &rows)?,
            log_odds: self.log_odds.f_index_select(0, &rows)?,
        })
    }
}

/// `[members, N]` each.
pub(super) struct Outputs {
    pub mean: Tensor,
    /// Log-variance of the noise, kept within reason.
    pub log_variance: Tensor,
    pub hit_log_odds: Tensor,
}

/// Runs all members on `batch`.
pub(super) fn forward(
    layout: &Layout,
    parameters: &Tensor,
    batch: &Batch,
    owner: &Tensor,
) -> Result<Outputs> {
    let pieces = layout.cut(parameters)?;
    let [weight, bias, log_precision, hidden_weight, hidden_bias, down, up, rest @ ..] = pieces.as_slice()
    else {
        return Err(Error::Checkpoint("pieces are missing".into()));
    };
    let [shift, scale, output, head, head_bias, wide, prior_hit, prior_value] = rest else {
        return Err(Error::Checkpoint("pieces are missing".into()));
    };
    let (width, blocks) = owner.size2()?;
    let encoder = Encoder { weight, bias, log_precision, hidden_weight, hidden_bias };
    let x = batch.rows.f_narrow(1, 0, width)?;
    let mask = batch.rows.f_narrow(1, width, blocks)?;
    let embeddings = encoder.embed(&x, &mask, owner)?;
    let state = Manipulator { down, up }.combine(&embeddings, &batch.edits, &batch.there)?;
    let heads = Heads { shift, scale, output, weight: head, bias: head_bias, wide, prior_hit, prior_value };
    let asked = Asked {
        rows: &batch.rows,
        edits: &batch.edits,
        there: &batch.there,
        contexts: &batch.contexts,
        log_odds: &batch.log_odds,
    };
    let read = heads.read(&state, &asked)?;
    Ok(Outputs {
        mean: read.f_select(2, 0)?,
        // sd between e^-3 and e^0.5 of the measured values' own.
        log_variance: read.f_select(2, 1)?.f_clamp(-6.0, 1.0)?,
        hit_log_odds: read.f_select(2, 2)?,
    })
}

/// `[width, blocks]`: 1 where a column belongs to a block.
pub(super) fn owner(blocks: &[Block]) -> Result<Tensor> {
    let width: usize = blocks.iter().map(|block| block.width).sum();
    let mut values = vec![0.0; width * blocks.len()];
    for (number, block) in blocks.iter().enumerate() {
        for column in block.start..block.start + block.width {
            values[column * blocks.len() + number] = 1.0;
        }
    }
    tensor::from_f32(&values, &[width as i64, blocks.len() as i64])
}
