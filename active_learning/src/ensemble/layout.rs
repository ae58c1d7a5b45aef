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

    /// Where the piece called `name` begins in a member's row.
    pub fn place(&self, name: &str) -> Option<usize> {
        let before: i64 = self
            .pieces
            .iter()
            .take_while(|piece| piece.name != name)
            .map(|piece| piece.rows * piece.columns)
            .sum();
        usize::try_from(before).ok().filter(|_| before < self.width())
    }

    /// The piece called `name`, narrower or firmer.
    pub fn adjust(&mut self, name: &str, change: impl Fn(&mut Piece)) {
        self.pieces.iter_mut().filter(|piece| piece.name == name).for_each(change);
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

/// `x`: `[n, width]` with each member's `weights`, `[members, width, columns]`: `[members, n, columns]`. One product for
/// all members: one each would be many small ones, with a copy of `x` for each.
pub(super) fn times_each(x: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let (members, width, columns) = weights.size3()?;
    let beside = weights.f_permute([1, 0, 2])?.f_reshape([width, members * columns])?;
    Ok(x.f_matmul(&beside)?.f_reshape([-1, members, columns])?.f_permute([1, 0, 2])?)
}
