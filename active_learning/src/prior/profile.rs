//! Where a gene stands among all screens: principal components of what happened to it there.
//!
//! Two views: signed z-scores (direction) and their size (does it ever matter). Screens weigh by the square
//! root of 1 / (number of screens correlated with them), as in [`evidence`](super::evidence).

use crate::prior::PriorScreens;
use crate::{Result, tensor};
use tch::{Kind, Tensor};

/// Components kept of each view.
const COMPONENTS: i64 = 32;

/// Components of each gene, unit variance, row by row.
#[derive(Clone, Debug)]
pub struct Profile {
    /// `[genes, width]`, in the order of the prior's genes.
    pub values: Vec<f32>,
    pub width: usize,
}

impl Profile {
    pub fn of(screens: &PriorScreens) -> Result<Self> {
        let shape = [screens.genes.len() as i64, screens.screens.len() as i64];
        let filled: Vec<f32> = screens.z.iter().map(|z| if z.is_nan() { 0.0 } else { *z }).collect();
        let signed = tensor::from_f32(&filled, &shape)?;
        let sizes: Vec<f32> = screens.z.iter().map(|z| if z.is_nan() { f32::NAN } else { z.abs() }).collect();
        let size = tensor::from_f32(&centred(sizes, screens.screens.len()), &shape)?;
        let both = Tensor::f_cat(&[components(&signed)?, components(&size)?], 1)?;
        let width = usize::try_from(both.size().last().copied().unwrap_or(0)).unwrap_or(0);
        Ok(Self { values: tensor::to_f32(&both)?, width })
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

/// `x`: `[genes, screens]`, 0 where unknown. Returns `[genes, k]`, unit variance.
fn components(x: &Tensor) -> Result<Tensor> {
    let x = x.f_to_kind(Kind::Double)?;
    let gram = x.f_transpose(0, 1)?.f_matmul(&x)?;
    let norms = gram.f_diagonal(0, 0, 1)?.f_clamp_min(1e-9)?.f_sqrt()?;
    let correlation = gram.f_div(&norms.f_unsqueeze(0)?)?.f_div(&norms.f_unsqueeze(1)?)?;
    let overlap = correlation.f_square()?.f_sum_dim_intlist([0i64].as_slice(), true, Kind::Double)?;
    let weighted = x.f_div(&overlap.f_clamp_min(1.0)?.f_sqrt()?)?;
    let (values, vectors) = weighted.f_transpose(0, 1)?.f_matmul(&weighted)?.f_linalg_eigh("L")?;
    let kept = kept(&tensor::to_f64(&values)?);
    let screens = *x.size().last().unwrap_or(&0);
    let leading = vectors.f_narrow(1, screens - kept, kept)?.f_flip([1i64].as_slice())?;
    let scores = weighted.f_matmul(&signed_alike(&leading)?)?;
    let scale = scores.f_std_dim([0i64].as_slice(), true, true)?.f_clamp_min(1e-9)?;
    Ok(scores.f_div(&scale)?.f_to_kind(Kind::Float)?)
}

/// How many of the ascending eigenvalues carry something.
fn kept(eigenvalues: &[f64]) -> i64 {
    let largest = eigenvalues.last().copied().unwrap_or(0.0);
    let carrying = eigenvalues.iter().filter(|value| **value > 1e-6 * largest).count();
    i64::try_from(carrying).unwrap_or(0).clamp(1, COMPONENTS)
}

/// An eigenvector's sign is anybody's guess: the largest loading of each column is made positive, so that
/// a checkpoint means the same on the next machine.
fn signed_alike(vectors: &Tensor) -> Result<Tensor> {
    let largest = vectors.f_abs()?.f_argmax(0, true)?;
    let sign = vectors.f_gather(0, &largest, false)?.f_sign()?;
    Ok(vectors.f_mul(&sign)?)
}
