//! What data say of a process's weights: the mode of their posterior, by the gradient of the evidence (Rasmussen & Williams
//! 2006, eq. 5.8 and 5.9).
//!
//! The logarithms of the weights of the kernel's parts and of the noise are normal about where they start, those of the
//! amplitudes of edits and contexts ([`amplitude`](super::amplitude)) about 0, and all are found together: an amplitude
//! learnt beside weights that took the middle for all would only mend them.

use crate::sets::amplitude::{self, Members};
use crate::sets::kernel::{PARTS, Parts};
use crate::{Result, minimise, tensor};
use tch::{Kind, Tensor};

/// Rows that they are learnt from, at most.
const ROWS: usize = 800;
/// Weights start here; noise comes last. Variances, of a target of variance 1.
const START: [f64; PARTS + 1] = [0.3, 0.2, 0.5, 0.5, 0.1, 0.3, 0.5];
/// Sd of the natural logarithm of a weight around its start: from so few rows more of it is noise than news.
const SPREAD: f64 = 0.5;
/// The first parts are of what edits do; the rest has no amplitude.
const OF_EDITS: usize = 4;
/// Quasi-Newton steps, and the gain in log posterior that ends them.
const MOST_STEPS: usize = 25;
const ENOUGH: f64 = 1e-3;

/// The mode.
pub(super) struct Learnt {
    pub weights: [f64; PARTS],
    pub noise: f64,
    /// Of the amplitudes, in the order of the members' factors.
    pub logs: Vec<f64>,
}

/// Some rows, double precision.
struct Case<'a> {
    /// `[PARTS, N * N]`: a sum over them is a product that reads each once.
    parts: Tensor,
    /// `[N, 1]`, about the mean of all.
    target: Tensor,
    /// Per row: its factors, among those of all members.
    factors: Vec<&'a [usize]>,
}

/// The variables in units of their prior's sd: the weights', then the amplitudes'.
fn sd(place: usize) -> f64 {
    if place <= PARTS { SPREAD } else { amplitude::SPREAD }
}

/// `parts`: `[N, N]` each; `target`: N values of variance about 1; `members`: of the same rows.
pub(super) fn learn(parts: &Parts, target: &[f64], members: &Members) -> Result<Learnt> {
    let case = Case::of(parts, target, members)?;
    let start = vec![0.0; PARTS + 1 + members.count()];
    let found = minimise::minimise(start, (MOST_STEPS, ENOUGH), |z| case.loss(z))?;
    let (weights, noise) = weights(&found);
    let logs = found.iter().skip(PARTS + 1).map(|z| amplitude::SPREAD * z).collect();
    Ok(Learnt { weights, noise, logs })
}

fn weights(z: &[f64]) -> ([f64; PARTS], f64) {
    let of = |place: usize| START[place] * (SPREAD * z[place]).exp();
    (std::array::from_fn(of), of(PARTS))
}

impl<'a> Case<'a> {
    fn of(parts: &Parts, target: &[f64], members: &'a Members) -> Result<Self> {
        let step = target.len().div_ceil(ROWS).max(1);
        let rows: Vec<usize> = (0..target.len()).step_by(step).collect();
        let centre = crate::metrics::mean(target.iter().copied()).unwrap_or(0.0);
        let some: Vec<f64> = rows.iter().map(|&row| target[row] - centre).collect();
        let places: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        let parts = parts.subset(&Tensor::f_from_slice(&places)?)?;
        Ok(Self {
            parts: Tensor::f_stack(&parts.0, 0)?.f_to_kind(Kind::Double)?.f_reshape([PARTS as i64, -1])?,
            target: tensor::from_f64(&some, &[-1, 1])?,
            factors: rows.iter().map(|row| members.of_row(*row)).collect(),
        })
    }

    /// The parts that have amplitudes, and the others.
    fn halves(&self) -> Result<[Tensor; 2]> {
        let (first, all) = (OF_EDITS as i64, PARTS as i64);
        Ok([self.parts.f_narrow(0, 0, first)?, self.parts.f_narrow(0, first, all - first)?])
    }

    /// Minus the log posterior at `z`, up to a constant, and its gradient.
    fn loss(&self, z: &[f64]) -> Result<(f64, Vec<f64>)> {
        let nowhere = || (f64::INFINITY, vec![0.0; z.len()]);
        let (weights, noise) = weights(z);
        let amplitude = |place: &usize| amplitude::SPREAD * z[PARTS + 1 + place];
        let scale: Vec<f64> =
            self.factors.iter().map(|factors| factors.iter().map(amplitude).sum::<f64>().exp()).collect();
        if weights.iter().chain([&noise]).chain(&scale).any(|number| !number.is_finite()) {
            return Ok(nowhere());
        }
        let scale = tensor::from_f64(&scale, &[-1, 1])?;
        let scale = scale.f_mul(&scale.f_transpose(0, 1)?)?;
        let [edits, others] = self.halves()?;
        let sum = |weights: &[f64], parts: &Tensor| -> Result<Tensor> {
            Ok(tensor::from_f64(weights, &[1, -1])?.f_matmul(parts)?.f_view_as(&scale)?)
        };
        let of_edits = sum(&weights[..OF_EDITS], &edits)?.f_mul(&scale)?;
        let noises = Tensor::f_eye(scale.size2()?.0, (Kind::Double, scale.device()))?.f_mul_scalar(noise)?;
        let all = of_edits.f_add(&sum(&weights[OF_EDITS..], &others)?)?.f_add(&noises)?;
        let Ok(root) = all.f_linalg_cholesky(false) else { return Ok(nowhere()) };
        let pull = self.target.f_cholesky_solve(&root, false)?;
        let number = |cells: Tensor| -> Result<f64> { Ok(cells.f_sum(Kind::Double)?.f_double_value(&[])?) };
        let misfit = number(self.target.f_mul(&pull)?)?;
        let volume = number(root.f_diagonal(0, 0, 1)?.f_log()?)?;
        let value = 0.5 * misfit + volume + 0.5 * z.iter().map(|z| z * z).sum::<f64>();

        // By each cell of the covariance.
        let slopes = root.f_cholesky_inverse(false)?.f_sub(&pull.f_mul(&pull.f_transpose(0, 1)?)?)?;
        let slopes = slopes.f_mul_scalar(0.5)?;
        let through = |parts: &Tensor, by: &Tensor| tensor::to_f64(&parts.f_mv(&by.f_reshape([-1])?)?);
        let by_parts = [through(&edits, &slopes.f_mul(&scale)?)?, through(&others, &slopes)?].concat();
        let mut gradient = z.to_vec();
        for (place, by_part) in by_parts.into_iter().enumerate() {
            gradient[place] += sd(place) * weights[place] * by_part;
        }
        gradient[PARTS] += sd(PARTS) * noise * number(slopes.f_diagonal(0, 0, 1)?)?;
        let by_rows = slopes.f_mul(&of_edits)?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
        for (factors, by_row) in self.factors.iter().zip(tensor::to_f64(&by_rows)?) {
            for place in factors.iter().map(|factor| PARTS + 1 + factor) {
                gradient[place] += sd(place) * 2.0 * by_row;
            }
        }
        Ok((value, gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve rows of four edits in two contexts, by hand.
    fn case() -> (Parts, Vec<f64>, Members) {
        let near =
            |one: i64, other: i64, length: f64| (-((one - other) as f64 / length).powi(2)).exp() as f32;
        let gram = |length: f64| {
            let cells: Vec<f32> = (0..144).map(|cell| near(cell / 12, cell % 12, length)).collect();
            tensor::from_f32(&cells, &[12, 12]).unwrap()
        };
        let parts = Parts([gram(1.0), gram(1.5), gram(2.0), gram(0.5), gram(9.0), gram(20.0)]);
        let target = (0..12).map(|row| f64::from((row * 5) % 7) / 3.0 - 1.0).collect();
        let of_rows = (0..12).map(|row| vec![row % 4, (row + 1 + row / 4) % 4, 4 + row % 2]).collect();
        (parts, target, Members::by_hand(vec![10, 20, 30, 40], vec![0, 1], of_rows))
    }

    #[test]
    fn the_gradient_is_what_differences_say() {
        let (parts, target, members) = case();
        let case = Case::of(&parts, &target, &members).unwrap();
        let z: Vec<f64> = (0..13).map(|place| 0.3 * f64::from(place % 5) - 0.5).collect();
        let (_, gradient) = case.loss(&z).unwrap();
        for place in 0..z.len() {
            let at = |step: f64| {
                let mut moved = z.clone();
                moved[place] += step;
                case.loss(&moved).unwrap().0
            };
            // Central differences: wrong by the square of the step.
            let by_hand = (at(1e-4) - at(-1e-4)) / 2e-4;
            assert!((gradient[place] - by_hand).abs() < 1e-5, "{place}: {} {by_hand}", gradient[place]);
        }
    }

    #[test]
    fn edits_that_do_more_have_a_larger_amplitude() {
        // Rows of their own, nothing shared; every second with edit 10, and those values are four times as large.
        let count = 120;
        let eye = Tensor::eye(count, (Kind::Float, tch::Device::Cpu));
        let zero = eye.zeros_like();
        let parts = Parts([0, 1, 2, 3, 4, 5].map(|part| if part == 0 { eye.copy() } else { zero.copy() }));
        let value = |row: usize| {
            (if row.is_multiple_of(2) { 1.4 } else { 0.35 }) * if row % 4 < 2 { 1.0 } else { -1.0 }
        };
        let target: Vec<f64> = (0..count as usize).map(value).collect();
        let of_rows = (0..count as usize).map(|row| vec![row % 2]).collect();
        let members = Members::by_hand(vec![10, 20], Vec::new(), of_rows);
        let learnt = learn(&parts, &target, &members).unwrap();
        assert!(learnt.logs[0] > 0.3 && learnt.logs[1] < -0.1, "{:?}", learnt.logs);
    }
}
