//! What several edits together do to a cell: additive, plus low-rank interaction between pairs.
//!
//! `sum_i e_i + V' sum_{i<j} (U e_i) * (U e_j)`, the pairs by the factorisation-machine identity
//! `((sum u)^2 - sum u^2) / 2` (Rendle 2010). Sums have no order, so neither has the result; one edit alone
//! has no interaction, and V = 0 is the additive null against which epistasis is measured.

use crate::Result;
use crate::ensemble::encoder::EMBEDDING;
use crate::ensemble::layout::Piece;
use tch::{Kind, Tensor};

/// Rank of the interaction.
const RANK: i64 = 8;

pub(super) fn pieces() -> [Piece; 2] {
    let down = (EMBEDDING as f64).sqrt().recip();
    [
        Piece {
            name: "interaction.down",
            rows: EMBEDDING,
            columns: RANK,
            spread: down,
            start: 0.0,
            precision: 4.0 / (down * down),
        },
        Piece {
            name: "interaction.up",
            rows: RANK,
            columns: EMBEDDING,
            spread: 0.0,
            start: 0.0,
            precision: 4.0,
        },
    ]
}

pub(super) struct Manipulator<'a> {
    pub down: &'a Tensor,
    pub up: &'a Tensor,
}

impl Manipulator<'_> {
    /// `embeddings`: `[members, U, E]`, `edits` and `there`: `[N, K]`. Returns `[members, N, E]`.
    pub fn combine(&self, embeddings: &Tensor, edits: &Tensor, there: &Tensor) -> Result<Tensor> {
        let together = gather_sum(embeddings, edits, there)?;
        if edits.size2()?.1 < 2 {
            return Ok(together);
        }
        let factors = embeddings.f_matmul(self.down)?;
        let square_of_sum = gather_sum(&factors, edits, there)?.f_square()?;
        let sum_of_squares = gather_sum(&factors.f_square()?, edits, there)?;
        let pairs = square_of_sum.f_sub(&sum_of_squares)?.f_mul_scalar(0.5)?;
        Ok(together.f_add(&pairs.f_matmul(self.up)?)?)
    }
}

/// Sums rows of `values` `[members, U, C]` over the edits of each experiment: `[members, N, C]`.
pub(super) fn gather_sum(values: &Tensor, edits: &Tensor, there: &Tensor) -> Result<Tensor> {
    let (members, _, columns) = values.size3()?;
    let (count, most) = edits.size2()?;
    let gathered = values.f_index_select(1, &edits.f_reshape([-1i64])?)?;
    if most == 1 {
        // Every experiment has an edit.
        return Ok(gathered);
    }
    let shaped = gathered.f_reshape([members, count, most, columns])?;
    let masked = shaped.f_mul(&there.f_reshape([1, count, most, 1])?)?;
    Ok(masked.f_sum_dim_intlist([2i64].as_slice(), false, Kind::Float)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    fn combined(edits: [i64; 3], up: f32) -> Vec<f32> {
        let numbers =
            |count: i64, step: f32| -> Vec<f32> { (0..count).map(|i| ((i as f32) * step).sin()).collect() };
        let embeddings = tensor::from_f32(&numbers(2 * 4 * EMBEDDING, 0.7), &[2, 4, EMBEDDING]).unwrap();
        let down = tensor::from_f32(&numbers(2 * EMBEDDING * RANK, 0.3), &[2, EMBEDDING, RANK]).unwrap();
        let up = tensor::from_f32(&numbers(2 * RANK * EMBEDDING, 0.9), &[2, RANK, EMBEDDING]).unwrap()
            * f64::from(up);
        let edits = Tensor::from_slice(&edits).reshape([1, 3]);
        let there = tensor::from_f32(&[1.0, 1.0, 1.0], &[1, 3]).unwrap();
        tensor::to_f32(&Manipulator { down: &down, up: &up }.combine(&embeddings, &edits, &there).unwrap())
            .unwrap()
    }

    #[test]
    fn the_order_of_edits_does_not_matter() {
        let first = combined([0, 1, 2], 1.0);
        for order in [[1, 0, 2], [2, 1, 0], [1, 2, 0]] {
            // Sums in another order: equal but for rounding in single precision.
            let other = combined(order, 1.0);
            assert!(first.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-4), "{order:?}");
        }
    }

    #[test]
    fn interaction_is_what_the_sum_of_edits_does_not_explain() {
        assert_ne!(combined([0, 1, 2], 1.0), combined([0, 1, 2], 0.0));
    }

    #[test]
    fn pairs_are_counted_once() {
        // u = (1, 2, 3) on one factor: pairs 1*2 + 1*3 + 2*3 = 11.
        let embeddings = tensor::from_f32(&[1.0, 2.0, 3.0], &[1, 3, 1]).unwrap();
        let one = tensor::from_f32(&[1.0], &[1, 1, 1]).unwrap();
        let edits = Tensor::from_slice(&[0i64, 1, 2]).reshape([1, 3]);
        let there = tensor::from_f32(&[1.0, 1.0, 1.0], &[1, 3]).unwrap();
        let state = Manipulator { down: &one, up: &one }.combine(&embeddings, &edits, &there).unwrap();
        assert_eq!(tensor::to_f32(&state).unwrap(), [6.0 + 11.0]);
    }
}
