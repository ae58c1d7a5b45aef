//! Logistic regression with a Gaussian prior: the mode of the posterior, by Newton steps.

use crate::{Result, tensor};
use tch::{Kind, Tensor};

#[derive(Debug)]
pub struct Logistic {
    /// `[P, 1]`: the posterior's mode.
    pub weights: Tensor,
}

impl Logistic {
    /// `x`: `[N, P]`, `y`: `[N, 1]` of 0 and 1, double precision; weights are a priori
    /// `N(centre, 1/precision)`, independent. N may be 0.
    pub fn fit(x: &Tensor, y: &Tensor, centre: &[f64], precision: &[f64]) -> Result<Self> {
        let centre = tensor::from_f64(centre, &[-1, 1])?;
        let precision = tensor::from_f64(precision, &[-1, 1])?;
        let mut weights = centre.copy();
        let loss = |weights: &Tensor| Self::loss(x, y, weights, &centre, &precision);
        let mut best = loss(&weights)?;
        for _ in 0..25 {
            let error = y.f_sub(&x.f_matmul(&weights)?.f_sigmoid()?)?;
            let pull = precision.f_mul(&centre.f_sub(&weights)?)?;
            let gradient = x.f_transpose(0, 1)?.f_matmul(&error)?.f_add(&pull)?;
            let root = Self::precision_root(x, &weights, &precision)?;
            let step = gradient.f_cholesky_solve(&root, false)?;
            // Newton can overshoot far from the mode: a step is halved until it helps.
            let (mut part, mut gained) = (1.0, 0.0);
            while gained <= 0.0 && part > 1e-6 {
                let tried = weights.f_add(&step.f_mul_scalar(part)?)?;
                let new = loss(&tried)?;
                gained = best - new;
                if gained > 0.0 {
                    (weights, best) = (tried, new);
                }
                part /= 2.0;
            }
            if gained < 1e-9 * best.max(1.0) {
                break;
            }
        }
        Ok(Self { weights })
    }

    /// Negative log posterior, up to a constant.
    fn loss(x: &Tensor, y: &Tensor, weights: &Tensor, centre: &Tensor, precision: &Tensor) -> Result<f64> {
        let log_odds = x.f_matmul(weights)?;
        let misfit = log_odds.f_softplus()?.f_sub(&log_odds.f_mul(y)?)?.f_sum(Kind::Double)?;
        let pulled = weights.f_sub(centre)?.f_square()?.f_mul(precision)?.f_sum(Kind::Double)?;
        let both = misfit.f_add(&pulled.f_mul_scalar(0.5)?)?;
        Ok(tensor::to_f64(&both)?.first().copied().unwrap_or(f64::INFINITY))
    }

    /// Lower Cholesky factor of the posterior precision at `weights`, `[P, P]`.
    fn precision_root(x: &Tensor, weights: &Tensor, precision: &Tensor) -> Result<Tensor> {
        let p = x.f_matmul(weights)?.f_sigmoid()?;
        let curvature = p.f_mul(&p.f_neg()?.f_add_scalar(1.0)?)?;
        let hessian = x.f_mul(&curvature)?.f_transpose(0, 1)?.f_matmul(x)?;
        let full = hessian.f_add(&precision.f_squeeze_dim(1)?.f_diag(0)?)?;
        Ok(full.f_linalg_cholesky(false)?)
    }

    /// Log-odds of each row at the mode.
    pub fn log_odds(&self, x: &Tensor) -> Result<Vec<f64>> {
        tensor::to_f64(&x.f_matmul(&self.weights)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_mode_the_gradient_vanishes() {
        let x = tensor::from_f64(&[1., -1., 1., 0., 1., 1., 1., 2.], &[4, 2]).unwrap();
        let y = tensor::from_f64(&[0., 0., 1., 1.], &[4, 1]).unwrap();
        let fitted = Logistic::fit(&x, &y, &[0.0, 1.0], &[0.5, 2.0]).unwrap();
        let weights = tensor::to_f64(&fitted.weights).unwrap();
        let p: Vec<f64> =
            [-1.0, 0.0, 1.0, 2.0].map(|t| crate::metrics::sigmoid(weights[0] + weights[1] * t)).to_vec();
        let errors = [-p[0], -p[1], 1.0 - p[2], 1.0 - p[3]];
        let first: f64 = errors.iter().sum::<f64>() - 0.5 * weights[0];
        let second: f64 = -errors[0] + errors[2] + 2.0 * errors[3] - 2.0 * (weights[1] - 1.0);
        assert!(first.abs() < 1e-6 && second.abs() < 1e-6, "{first} {second}");
    }
}
