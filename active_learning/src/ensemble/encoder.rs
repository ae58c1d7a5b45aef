//! One encoder a feature block, fused by precision; missing blocks weigh nothing.
//!
//! Block b says `z_b = W_b x_b + c_b` with a learnt precision `p_b` per dimension; the prior says 0 with
//! precision 1. Their product of Gaussians (product of experts, Wu & Goodman 2018) has the mean
//! `sum_b m_b p_b z_b / (1 + sum_b m_b p_b)`, m_b = 1 where block b is known. Since x_b is 0 where it is
//! missing, the whole fusion is one matrix product.

use crate::Result;
use crate::data::Block;
use crate::ensemble::layout::{Piece, times_each};
use tch::Tensor;

/// Dimensions of an embedding.
pub const EMBEDDING: i64 = 32;

pub(super) fn pieces(blocks: &[Block]) -> [Piece; 5] {
    let width: i64 = blocks.iter().map(|block| block.width as i64).sum();
    let count = blocks.len() as i64;
    let typical = (width as f64 / count.max(1) as f64).max(1.0);
    let anchored = |name, rows, columns, spread: f64| Piece {
        name,
        rows,
        columns,
        spread,
        start: 0.0,
        precision: ANCHOR / (spread * spread),
    };
    [
        anchored("encoder.weight", width, EMBEDDING, typical.sqrt().recip()),
        anchored("encoder.bias", count, EMBEDDING, 0.3),
        anchored("encoder.log_precision", count, EMBEDDING, 0.3),
        anchored("hidden.weight", EMBEDDING, EMBEDDING, (EMBEDDING as f64).sqrt().recip()),
        anchored("hidden.bias", 1, EMBEDDING, 0.3),
    ]
}

/// How much stiffer than a unit prior the anchors are: a few hundred labels cannot place 10^4 weights.
const ANCHOR: f64 = 4.0;

pub(super) struct Encoder<'a> {
    pub weight: &'a Tensor,
    pub bias: &'a Tensor,
    pub log_precision: &'a Tensor,
    pub hidden_weight: &'a Tensor,
    pub hidden_bias: &'a Tensor,
}

impl Encoder<'_> {
    /// `x`: `[U, width]`, `mask`: `[U, blocks]`, `owner`: `[width, blocks]`, 1 where a column is of a block.
    /// Returns `[members, U, EMBEDDING]`.
    pub fn embed(&self, x: &Tensor, mask: &Tensor, owner: &Tensor) -> Result<Tensor> {
        let precision = self.log_precision.f_exp()?;
        let per_column = times_each(owner, &precision)?;
        let from_columns = times_each(x, &self.weight.f_mul(&per_column)?)?;
        let from_biases = times_each(mask, &self.bias.f_mul(&precision)?)?;
        let total = times_each(mask, &precision)?.f_add_scalar(1.0)?;
        let fused = from_columns.f_add(&from_biases)?.f_div(&total)?;
        let hidden = fused.f_matmul(self.hidden_weight)?.f_add(self.hidden_bias)?.f_tanh()?;
        Ok(fused.f_add(&hidden)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    #[test]
    fn a_missing_block_weighs_nothing_and_a_known_one_pulls_by_its_precision() {
        let ones = |rows: i64, value: f32| {
            tensor::from_f32(&vec![value; (rows * EMBEDDING) as usize], &[1, rows, EMBEDDING]).unwrap()
        };
        let log_precision = Tensor::cat(&[ones(1, 0.0), ones(1, 3f32.ln())], 1);
        let (weight, bias, hidden_bias) = (ones(2, 1.0), ones(2, 0.0), ones(1, 0.0));
        let hidden_weight = ones(EMBEDDING, 0.0);
        let encoder = Encoder {
            weight: &weight,
            bias: &bias,
            log_precision: &log_precision,
            hidden_weight: &hidden_weight,
            hidden_bias: &hidden_bias,
        };
        let owner = tensor::from_f32(&[1.0, 0.0, 0.0, 1.0], &[2, 2]).unwrap();
        let x = tensor::from_f32(&[2.0, 0.0, 2.0, 4.0, 0.0, 0.0], &[3, 2]).unwrap();
        let mask = tensor::from_f32(&[1.0, 0.0, 1.0, 1.0, 0.0, 0.0], &[3, 2]).unwrap();
        let z = tensor::to_f32(&encoder.embed(&x, &mask, &owner).unwrap()).unwrap();
        let first: Vec<f32> = z.iter().copied().step_by(EMBEDDING as usize).collect();
        // 2 / (1 + 1); (2 + 3 * 4) / (1 + 1 + 3); nothing known: the prior's 0.
        for (value, expected) in first.iter().zip([1.0, 14.0 / 5.0, 0.0]) {
            assert!((value - expected).abs() < 1e-5, "{first:?}");
        }
    }
}
