//! Where a gene stands in each of the other screens.
//!
//! Two views of every screen: the z-score (direction) and its size (does it ever matter). A screen's columns
//! are as long as the square root of 1 / (number of screens correlated with it), as in
//! [`evidence`](super::evidence), so that copies of a screen pull no harder than one; where the screen
//! at hand is described, times the root of how much more those described alike count ([`alike`](super::alike)). Principal components of
//! the same numbers lose on replays: what they leave out are the few screens of one kind.

use crate::prior::PriorScreens;
use crate::prior::evidence::{independence, related};
use crate::{Result, tensor};
use tch::{Kind, Tensor};

/// Beyond it, a z-score says more of a screen's scale than of a gene.
const LIMIT: f32 = 5.0;

/// Columns of each gene, unit variance on average, row by row; 0 where not measured.
#[derive(Clone, Debug)]
pub struct Profile {
    /// `[genes, 2 * screens]`, in the order of the prior's genes: z-scores, then their sizes.
    pub values: Vec<f32>,
    pub width: usize,
}

impl Profile {
    /// `weights`: one a screen; without them, how independent it is.
    pub fn of(screens: &PriorScreens, weights: Option<&[f64]>) -> Result<Self> {
        let count = screens.screens.len();
        let shape = [screens.genes.len() as i64, count as i64];
        let cut: Vec<f32> = screens.z.iter().map(|z| z.clamp(-LIMIT, LIMIT)).collect();
        let sizes = centred(cut.iter().map(|z| z.abs()).collect(), count);
        let filled: Vec<f32> = cut.into_iter().map(|z| if z.is_nan() { 0.0 } else { z }).collect();
        let weights = match weights {
            Some(weights) => weights.to_vec(),
            None => independence(&related(screens)?, count),
        };
        let lengths: Vec<f32> = weights.iter().map(|weight| weight.sqrt() as f32).collect();
        let lengths = tensor::from_f32(&lengths, &[1, count as i64])?;
        let views = [tensor::from_f32(&filled, &shape)?, tensor::from_f32(&sizes, &shape)?];
        let weighted = views.iter().map(|view| Ok(view.f_mul(&lengths)?)).collect::<Result<Vec<_>>>()?;
        let both = Tensor::f_cat(&weighted, 1)?;
        let scale = both.f_square()?.f_mean(Kind::Float)?.f_sqrt()?.f_clamp_min(1e-9)?;
        Ok(Self { values: tensor::to_f32(&both.f_div(&scale)?)?, width: 2 * count })
    }

    pub fn row(&self, gene: usize) -> &[f32] {
        self.values.get(gene * self.width..(gene + 1) * self.width).unwrap_or_default()
    }
}

/// Less the column's mean; 0 where not measured.
fn centred(mut values: Vec<f32>, width: usize) -> Vec<f32> {
    for column in 0..width {
        let known = || values.iter().skip(column).step_by(width).filter(|value| !value.is_nan());
        let mean = known().sum::<f32>() / known().count().max(1) as f32;
        for value in values.iter_mut().skip(column).step_by(width) {
            *value = if value.is_nan() { 0.0 } else { *value - mean };
        }
    }
    values
}
