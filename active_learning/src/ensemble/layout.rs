//! All parameters of a member in one row, cut into named pieces.
//!
//! One tensor `[members, parameters]` makes the optimiser, the prior and the checkpoint one operation each.

use crate::Result;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::Tensor;

/// A named piece: a matrix of each member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    pub name: &'static str,
    pub rows: i64,
    pub columns: i64,
    /// Standard deviation of the random start; 0 starts at `start`.
    pub spread: f64,
    pub start: f64,
    /// Of the Gaussian prior around the start.
    pub precision: f64,
}

#[derive(Clone, Debug)]
pub struct Layout {
    pub pieces: Vec<Piece>,
}

impl Layout {
    pub fn width(&self) -> i64 {
        self.pieces.iter().map(|piece| piece.rows * piece.columns).sum()
    }

    /// The parameters before any data, `[members, width]` row by row.
    pub fn start(&self, members: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut values = Vec::with_capacity(members * self.width() as usize);
        for _ in 0..members {
            for piece in &self.pieces {
                for _ in 0..piece.rows * piece.columns {
                    let noise: f64 = if piece.spread > 0.0 { rng.sample(StandardNormal) } else { 0.0 };
                    values.push((piece.start + piece.spread * noise) as f32);
                }
            }
        }
        values
    }

    /// `[width]`.
    pub fn precisions(&self) -> Vec<f32> {
        let each = |piece: &Piece| {
            std::iter::repeat_n(piece.precision as f32, (piece.rows * piece.columns) as usize)
        };
        self.pieces.iter().flat_map(each).collect()
    }

    /// `[members, width]` cut into `[members, rows, columns]` each, in order.
    pub fn cut(&self, parameters: &Tensor) -> Result<Vec<Tensor>> {
        let (members, _) = parameters.size2()?;
        let sizes: Vec<i64> = self.pieces.iter().map(|piece| piece.rows * piece.columns).collect();
        let flat = parameters.f_split_with_sizes(sizes, 1)?;
        let shaped = flat
            .iter()
            .zip(&self.pieces)
            .map(|(part, piece)| Ok(part.f_reshape([members, piece.rows, piece.columns])?));
        shaped.collect()
    }
}
