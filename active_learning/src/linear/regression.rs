//! Exact Bayesian linear regression.
//!
//! `y ~ N(X w, 1/beta)`, `w ~ N(0, 1/alpha)`; posterior `N(m, S)` with `S = (alpha I + beta X'X)^-1`,
//! `m = beta S X'y` (Bishop 2006, eq. 3.53-3.54). alpha and beta maximise the evidence by its fixed point
//! (eq. 3.91-3.95). All in the eigenbasis of X'X, so that each step costs nothing.

use crate::{Error, Result, tensor};
use tch::{Kind, Tensor};

/// Bounds of both precisions: data that are fitted exactly, or not at all, must not run away.
const PRECISIONS: (f64, f64) = (1e-3, 1e6);

#[derive(Debug)]
pub struct Regression {
    /// `[P, 1]`
    pub weights: Tensor,
    /// `[P, P]`: `S = root root'`.
    pub root: Tensor,
    pub alpha: f64,
    pub beta: f64,
}

impl Regression {
    /// `x`: `[N, P]`, `y`: `[N, 1]`, double precision; N may be 0.
    pub fn fit(x: &Tensor, y: &Tensor) -> Result<Self> {
        let spectrum = Spectrum::of(x, y)?;
        let (alpha, beta) = spectrum.maximise_evidence();
        Self::from_spectrum(&spectrum, alpha, beta)
    }

    /// The posterior at given precisions.
    pub fn with_precisions(x: &Tensor, y: &Tensor, alpha: f64, beta: f64) -> Result<Self> {
        Self::from_spectrum(&Spectrum::of(x, y)?, alpha, beta)
    }

    /// `[P, 1]`: the posterior's mean.
    pub(crate) fn mode(spectrum: &Spectrum, alpha: f64, beta: f64) -> Result<Tensor> {
        let along = spectrum.values.iter().zip(&spectrum.projected);
        let scaled: Vec<f64> = along.map(|(v, p)| beta * p / (alpha + beta * v)).collect();
        Ok(spectrum.vectors.f_matmul(&tensor::from_f64(&scaled, &[-1, 1])?)?)
    }

    fn from_spectrum(spectrum: &Spectrum, alpha: f64, beta: f64) -> Result<Self> {
        let count = spectrum.values.len() as i64;
        let sds: Vec<f64> = spectrum.values.iter().map(|v| (alpha + beta * v).recip().sqrt()).collect();
        Ok(Self {
            weights: Self::mode(spectrum, alpha, beta)?,
            root: spectrum.vectors.f_mul(&tensor::from_f64(&sds, &[1, count])?)?,
            alpha,
            beta,
        })
    }

    /// Mean and epistemic sd of each row.
    pub fn predict(&self, x: &Tensor) -> Result<(Vec<f64>, Vec<f64>)> {
        let on = |weights: &Tensor| weights.f_to_device(x.device());
        let mean = tensor::to_f64(&x.f_matmul(&on(&self.weights)?)?)?;
        Ok((mean, tensor::to_f64(&lengths(&x.f_matmul(&on(&self.root)?)?)?)?))
    }

    /// Joint draws of the noise-free value. `noise`: `[P, S]` standard normal; returns `[N, S]`.
    pub fn sample(&self, x: &Tensor, noise: &Tensor) -> Result<Tensor> {
        let drawn = self.weights.f_add(&self.root.f_matmul(noise)?)?;
        Ok(x.f_matmul(&drawn.f_to_device(x.device())?)?)
    }

    pub fn noise_sd(&self) -> f64 {
        self.beta.sqrt().recip()
    }
}

/// `[N]`: of the rows of `spread`, `[N, P]`, which are the columns times the root: the epistemic sd.
pub(super) fn lengths(spread: &Tensor) -> Result<Tensor> {
    Ok(spread.f_linalg_norm(2.0, [1i64].as_slice(), false, Kind::Double)?)
}

/// X'X in its eigenbasis, with one target.
pub(crate) struct Spectrum {
    rows: f64,
    /// `[P]`: eigenvalues.
    pub values: Vec<f64>,
    /// `[P, P]`: eigenvectors.
    pub vectors: Tensor,
    /// V' X'y
    projected: Vec<f64>,
    /// y'y
    energy: f64,
}

impl Spectrum {
    fn of(x: &Tensor, y: &Tensor) -> Result<Self> {
        let (rows, width) = x.size2()?;
        if rows == 0 {
            let vectors = Tensor::f_eye(width, (Kind::Double, x.device()))?;
            let zeros = vec![0.0; width as usize];
            return Ok(Self { rows: 0.0, values: zeros.clone(), vectors, projected: zeros, energy: 0.0 });
        }
        Self::of_each(x, y)?.pop().ok_or(Error::NotFinite("a regression without a target"))
    }

    /// One for each column of `y`, `[N, R]`; `x`: `[N, P]`, N > 0.
    pub fn of_each(x: &Tensor, y: &Tensor) -> Result<Vec<Self>> {
        let (rows, targets) = y.size2()?;
        let xt = x.f_transpose(0, 1)?;
        let (values, vectors) = xt.f_matmul(x)?.f_linalg_eigh("L")?;
        let values: Vec<f64> = tensor::to_f64(&values)?.into_iter().map(|v| v.max(0.0)).collect();
        let projected = vectors.f_transpose(0, 1)?.f_matmul(&xt.f_matmul(y)?)?;
        let of = |target: i64| {
            let energy = y.f_select(1, target)?.f_square()?.f_sum(Kind::Double)?;
            Ok(Self {
                rows: rows as f64,
                values: values.clone(),
                projected: tensor::to_f64(&projected.f_select(1, target)?)?,
                vectors: vectors.shallow_clone(),
                energy: tensor::to_f64(&energy)?.first().copied().unwrap_or(0.0),
            })
        };
        (0..targets).map(of).collect()
    }

    /// alpha and beta at which the data are most probable.
    pub fn maximise_evidence(&self) -> (f64, f64) {
        let (low, high) = PRECISIONS;
        // Without data: unit variance in all, half of it noise.
        let (mut alpha, mut beta) = (2.0 * self.values.len().max(1) as f64, 2.0);
        if self.rows < 2.0 {
            return (alpha, beta);
        }
        for _ in 0..200 {
            let gamma: f64 = self.values.iter().map(|v| beta * v / (alpha + beta * v)).sum();
            let mut size = 0.0;
            let mut explained = 0.0;
            for (value, projected) in self.values.iter().zip(&self.projected) {
                let weight = beta * projected / (alpha + beta * value);
                size += weight * weight;
                explained += 2.0 * weight * projected - weight * weight * value;
            }
            let residual = (self.energy - explained).max(1e-12);
            let next = (
                (gamma / size.max(1e-12)).clamp(low, high),
                ((self.rows - gamma).max(1e-6) / residual).clamp(low, high),
            );
            let moved = (next.0 / alpha).ln().abs() + (next.1 / beta).ln().abs();
            (alpha, beta) = next;
            if moved < 1e-6 {
                break;
            }
        }
        (alpha, beta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    /// X = [[1,0],[1,1],[1,2]], y = [1,2,2], alpha = 1, beta = 2. By hand: S^-1 = I + 2 [[3,3],[3,5]]
    /// = [[7,6],[6,11]], det 41, S = [[11,-6],[-6,7]]/41; X'y = [5,6]; m = 2 S X'y = [38/41, 24/41].
    #[test]
    fn the_posterior_is_the_closed_form() {
        let x = tensor::from_f64(&[1., 0., 1., 1., 1., 2.], &[3, 2]).unwrap();
        let y = tensor::from_f64(&[1., 2., 2.], &[3, 1]).unwrap();
        let fitted = Regression::with_precisions(&x, &y, 1.0, 2.0).unwrap();
        let weights = tensor::to_f64(&fitted.weights).unwrap();
        // 1e-12: double precision, a 2 x 2 eigenproblem.
        assert!((weights[0] - 38.0 / 41.0).abs() < 1e-12);
        assert!((weights[1] - 24.0 / 41.0).abs() < 1e-12);
        let at = tensor::from_f64(&[1., 3.], &[1, 2]).unwrap();
        let (mean, sd) = fitted.predict(&at).unwrap();
        assert!((mean[0] - 110.0 / 41.0).abs() < 1e-12);
        assert!((sd[0].powi(2) - (11.0 - 36.0 + 63.0) / 41.0).abs() < 1e-12);
    }

    #[test]
    fn evidence_finds_the_noise_of_a_line() {
        let n = 400;
        let x: Vec<f64> = (0..n).flat_map(|i| [1.0, (i as f64 / n as f64) - 0.5]).collect();
        // A fixed sequence of sd 0.5: alternating signs.
        let y: Vec<f64> =
            (0..n).map(|i| 1.0 + 2.0 * x[2 * i + 1] + if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
        let fitted = Regression::fit(
            &tensor::from_f64(&x, &[n as i64, 2]).unwrap(),
            &tensor::from_f64(&y, &[n as i64, 1]).unwrap(),
        )
        .unwrap();
        assert!((fitted.noise_sd() - 0.5).abs() < 0.01, "{}", fitted.noise_sd());
    }

    #[test]
    fn without_data_the_posterior_is_the_prior() {
        let x = Tensor::zeros([0, 3], (Kind::Double, Device::Cpu));
        let y = Tensor::zeros([0, 1], (Kind::Double, Device::Cpu));
        let fitted = Regression::fit(&x, &y).unwrap();
        let (mean, sd) = fitted.predict(&tensor::from_f64(&[1., 1., 1.], &[1, 3]).unwrap()).unwrap();
        assert_eq!(mean[0], 0.0);
        assert!((sd[0] - (3.0f64 / 6.0).sqrt()).abs() < 1e-12);
    }
}
