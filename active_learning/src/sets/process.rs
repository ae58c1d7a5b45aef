//! Gaussian process regression on precomputed parts of a kernel (Rasmussen & Williams 2006, algorithm 2.1).
//!
//! The weights of the parts, the noise and the amplitudes of edits and contexts are what the [`evidence`](super::evidence)
//! says of them.

use crate::representation::Encoded;
use crate::sets::amplitude::{Amplitudes, Members};
use crate::sets::around::Surroundings;
use crate::sets::evidence::{self, Learnt};
use crate::sets::kernel::{PARTS, Parts};
use crate::{Result, tensor};
use tch::{Kind, Tensor};

#[derive(Debug)]
pub struct Process {
    pub weights: [f64; PARTS],
    pub noise: f64,
    pub centre: f64,
    pub amplitudes: Amplitudes,
    /// `[N, 1]`, double precision.
    pub alpha: Tensor,
}

/// A process and the amplitudes of the rows that it is asked about.
pub struct Scaled<'a> {
    pub process: &'a Process,
    /// `[M]`, of new rows.
    pub new: Vec<f32>,
    /// `[N]`, of those trained on.
    pub trained: Vec<f32>,
}

impl<'a> Scaled<'a> {
    pub fn of(process: &'a Process, new: &Encoded, trained: &Encoded) -> Result<Self> {
        let of = |encoded: &Encoded| -> Result<Vec<f32>> {
            Ok(process.amplitudes.of(encoded)?.into_iter().map(|amplitude| amplitude as f32).collect())
        };
        Ok(Self { process, new: of(new)?, trained: of(trained)? })
    }

    /// `[M]`, where `new` is.
    pub fn of_new(&self, new: &Encoded) -> Result<Tensor> {
        Ok(tensor::from_f32(&self.new, &[-1])?.f_to_device(new.device())?)
    }
}

/// What the others say of each row.
pub struct LeftOut {
    pub mean: Vec<f64>,
    /// Noise included.
    pub sd: Vec<f64>,
    /// Inverse of the covariance of all rows, noise included, `[N, N]`, double precision.
    pub inverse: Tensor,
}

/// What data leave open of some rows, and what they say.
pub(super) struct Doubt {
    /// Of the noise-free value.
    pub sd: Vec<f64>,
    /// Variance, a priori, of what is foretold of the edits.
    pub foretold: Vec<f64>,
}

impl LeftOut {
    /// Errors of `target`, squared, over their variances.
    pub fn squares(&self, target: &[f64]) -> impl Iterator<Item = f64> {
        let said = self.mean.iter().zip(&self.sd);
        target.iter().zip(said).map(|(value, (mean, sd))| ((value - mean) / sd).powi(2))
    }
}

impl Process {
    /// `parts`: `[N, N]` each; `target`: N values of variance about 1; `members`: of the same rows.
    pub fn fit(parts: &Parts, target: &[f64], members: &Members) -> Result<(Self, LeftOut)> {
        let Learnt { weights, noise, logs } = evidence::learn(parts, target, members)?;
        let parts = parts.scaled(&members.between(&logs, target.len())?)?;
        let amplitudes = members.amplitudes(&logs);
        let centre = crate::metrics::mean(target.iter().copied()).unwrap_or(0.0);
        let root = root(&parts, &weights, noise)?;
        let centred: Vec<f64> = target.iter().map(|value| value - centre).collect();
        let alpha = tensor::from_f64(&centred, &[-1, 1])?.f_cholesky_solve(&root, false)?;
        let process = Self { weights, noise, centre, amplitudes, alpha };
        let left_out = process.left_out(&root, target)?;
        Ok((process, left_out))
    }

    /// Closed form of leaving each row out (eq. 5.12).
    fn left_out(&self, root: &Tensor, target: &[f64]) -> Result<LeftOut> {
        let inverse = root.f_cholesky_inverse(false)?;
        let own = tensor::to_f64(&inverse.f_diagonal(0, 0, 1)?)?;
        let alpha = tensor::to_f64(&self.alpha)?;
        let mean = target.iter().zip(&alpha).zip(&own).map(|((value, alpha), own)| value - alpha / own);
        let mean = mean.collect();
        Ok(LeftOut { mean, sd: own.iter().map(|own| own.recip().sqrt()).collect(), inverse })
    }

    /// Lower Cholesky factor of the covariance of noisy values, `[N, N]`; `parts`: [scaled](Amplitudes).
    pub fn root(&self, parts: &Parts) -> Result<Tensor> {
        root(parts, &self.weights, self.noise)
    }
}

/// `own` `[M]`, `cross` `[M, N]`, `root` `[N, N]`, all single precision; `around`: what is said of more than the edits.
pub(super) fn doubt(own: &Tensor, cross: &Tensor, root: &Tensor, around: &Surroundings) -> Result<Doubt> {
    let solved = solve(cross, root)?;
    let length = |solved: &Tensor| -> Result<Tensor> {
        Ok(solved.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?)
    };
    let left = own.f_sub(&length(&solved)?)?.f_clamp_min(1e-6)?;
    Ok(Doubt {
        sd: tensor::to_f64(&left.f_sqrt()?)?,
        foretold: tensor::to_f64(&length(&solved.f_sub(&around.solved)?)?)?,
    })
}

/// `cross` `[M, N]` times the inverse of `root'`.
pub(super) fn solve(cross: &Tensor, root: &Tensor) -> Result<Tensor> {
    // From the right: rows lie as LAPACK wants columns, and nothing is turned over. Twice as fast as from the left.
    Ok(root.f_transpose(0, 1)?.f_linalg_solve_triangular(cross, true, false, false)?)
}

fn root(parts: &Parts, weights: &[f64; PARTS], noise: f64) -> Result<Tensor> {
    let gram = parts.weighted(weights)?.f_to_kind(Kind::Double)?;
    let diagonal = Tensor::f_eye(gram.size2()?.0, (Kind::Double, gram.device()))?.f_mul_scalar(noise)?;
    Ok(gram.f_add(&diagonal)?.f_linalg_cholesky(false)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(count: i64) -> (Parts, Vec<f64>) {
        let x: Vec<f32> = (0..count).map(|i| i as f32 / count as f32 - 0.5).collect();
        let column = tensor::from_f32(&x, &[count, 1]).unwrap();
        let gram = column.matmul(&column.transpose(0, 1)) * 4.0;
        let zero = gram.zeros_like();
        let parts = [0, 1, 2, 3, 4, 5].map(|i| if i == 0 { gram.copy() } else { zero.copy() });
        (Parts(parts), x.iter().map(|x| 2.0 * f64::from(*x)).collect())
    }

    #[test]
    fn left_out_rows_are_what_a_process_of_the_others_says() {
        let (parts, mut target) = line(12);
        target[3] += 1.0;
        let (process, left_out) = Process::fit(&parts, &target, &Members::none()).unwrap();
        let others: Vec<i64> = (0..12).filter(|row| *row != 3).collect();
        let kept = Tensor::from_slice(&others);
        let root = process.root(&parts.subset(&kept).unwrap()).unwrap();
        let rest: Vec<f64> = others.iter().map(|&row| target[row as usize] - process.centre).collect();
        let alpha = tensor::from_f64(&rest, &[-1, 1]).unwrap().cholesky_solve(&root, false);
        let cross = parts.weighted(&process.weights).unwrap().select(0, 3).index_select(0, &kept);
        let by_hand = cross.to_kind(Kind::Double).unsqueeze(0).matmul(&alpha).double_value(&[0, 0]);
        assert!((left_out.mean[3] - process.centre - by_hand).abs() < 1e-4);
    }

    #[test]
    fn a_line_is_followed_with_little_noise() {
        let (parts, target) = line(60);
        let (process, left_out) = Process::fit(&parts, &target, &Members::none()).unwrap();
        assert!(process.noise < 0.2, "{}", process.noise);
        assert!(left_out.mean.iter().zip(&target).all(|(said, was)| (said - was).abs() < 0.1));
    }

    #[test]
    fn doubt_is_the_closed_form() {
        // K = [[2, 1], [1, 2]], k = (1, .5) and (0, 1), own variance 1:
        // 1 - k' K^-1 k with K^-1 = [[2, -1], [-1, 2]] / 3 is 1 - 1.5 / 3 and 1 - 2 / 3.
        let gram = tensor::from_f64(&[2., 1., 1., 2.], &[2, 2]).unwrap();
        let root = gram.linalg_cholesky(false).to_kind(Kind::Float);
        let cross = tensor::from_f32(&[1., 0.5, 0., 1.], &[2, 2]).unwrap();
        // Of the second row's forecast a half is said of all sets.
        let share = tensor::from_f32(&[0.0, 0.5], &[2, 1]).unwrap();
        let around = Surroundings { means: vec![0.0, 0.0], solved: solve(&cross, &root).unwrap() * share };
        let own = tensor::from_f32(&[1., 1.], &[2]).unwrap();
        let Doubt { sd, foretold } = doubt(&own, &cross, &root, &around).unwrap();
        // Single precision.
        assert!((sd[0] - 0.5f64.sqrt()).abs() < 1e-6, "{sd:?}");
        assert!((sd[1] - (1.0f64 / 3.0).sqrt()).abs() < 1e-6, "{sd:?}");
        assert!(
            (foretold[0] - 0.5).abs() < 1e-6 && (foretold[1] - 0.25 * 2.0 / 3.0).abs() < 1e-6,
            "{foretold:?}"
        );
    }
}
