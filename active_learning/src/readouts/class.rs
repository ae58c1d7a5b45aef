//! Labels without an order: multinomial logistic regression with a Gaussian prior.
//!
//! By minorise-maximise: the curvature of the log likelihood is nowhere more than `1/2 X'X` for each label (Böhning 1992),
//! so steps with that fixed bound always help, and one Cholesky factor serves them all.

use crate::{Error, Result, tensor};
use tch::{Kind, Tensor};

const MOST_STEPS: usize = 500;

#[derive(Debug)]
pub struct Class {
    /// `[P, K]`
    pub weights: Tensor,
}

impl Class {
    /// `x`: `[N, P]`; `labels`: from 0, below `count`; `precision`: `[P]` of weights about 0.
    pub fn fit(x: &Tensor, labels: &[usize], count: usize, precision: &[f64]) -> Result<Self> {
        if count < 2 {
            return Err(Error::Settings("a readout of classes has two labels at least".into()));
        }
        let (rows, width) = x.size2()?;
        let mut hot = vec![0.0; labels.len() * count];
        labels.iter().enumerate().for_each(|(row, label)| hot[row * count + label] = 1.0);
        let y = tensor::from_f64(&hot, &[rows, count as i64])?;
        let precision = tensor::from_f64(precision, &[-1, 1])?;
        let xt = x.f_transpose(0, 1)?;
        let bound = xt.f_matmul(x)?.f_mul_scalar(0.5)?.f_add(&precision.f_squeeze_dim(1)?.f_diag(0)?)?;
        let root = bound.f_linalg_cholesky(false)?;
        let mut weights = Tensor::f_zeros([width, count as i64], (Kind::Double, x.device()))?;
        for _ in 0..MOST_STEPS {
            let error = y.f_sub(&x.f_matmul(&weights)?.f_softmax(1, Kind::Double)?)?;
            let gradient = xt.f_matmul(&error)?.f_sub(&weights.f_mul(&precision)?)?;
            let step = gradient.f_cholesky_solve(&root, false)?;
            weights = weights.f_add(&step)?;
            let moved = tensor::to_f64(&step.f_abs()?.f_max()?)?;
            if moved.first().is_none_or(|moved| *moved < 1e-7) {
                break;
            }
        }
        Ok(Self { weights })
    }

    /// `[M][K]` of each row of `x`, `[M, P]`.
    pub fn probabilities(&self, x: &Tensor) -> Result<Vec<Vec<f64>>> {
        let count = usize::try_from(self.weights.size2()?.1).unwrap_or(0).max(1);
        let flat =
            tensor::to_f64(&x.f_matmul(&self.weights.f_to_device(x.device())?)?.f_softmax(1, Kind::Double)?)?;
        Ok(flat.chunks(count).map(<[f64]>::to_vec).collect())
    }
}
