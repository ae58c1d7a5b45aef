//! How sure the process of the value is, where it is bold.
//!
//! Effects of sets are heavy-tailed: most do nothing, a few a lot. A Gaussian process is as sure next to an outlier as
//! anywhere else, and takes half of what one row showed for what its likes will show, where it is all of it or nothing.
//! So what is foretold of a value and the value are taken for jointly Student t instead of jointly Gaussian, with `nu`
//! degrees of freedom and the process's covariance times `c`. Given the forecast the mean is as before, and the variance
//! `(nu c + u) / (nu + 1)` times as large (Ding 2016, "On the conditional distribution of the multivariate t distribution",
//! with one dimension given; Shah, Wilson & Ghahramani 2014 for processes), with the forecast's boldness
//!
//! `u = (k' (K + noise)^-1 y)^2 / k' (K + noise)^-1 k`,
//!
//! what is foretold of the edits, squared, over what that is on average a priori, 1 where nothing is known. k is of the
//! parts of the kernel that know edits: what a context does to all sets ([`around`](super::around)) is no outlier. All rows
//! of a Student t process share one u, which says nothing of where: here each has its own, so what is foretold to be
//! extreme is unsure and what is not is surer. Noise and what is not known grow alike.

use crate::sets::kernel::Parts;
use crate::sets::process::Process;
use crate::{Result, tensor};
use tch::{Kind, Tensor};

/// With fewer rows the process stays Gaussian: tails need some.
const FEWEST_ROWS: usize = 40;
/// Steps of half an octave from 1 on; the last is as good as Gaussian.
const FREEDOMS: usize = 13;
/// Of `c`, from `exp(-3)` on.
const SCALES: usize = 41;
const SCALE_STEP: f64 = 0.1;
/// Variance that a forecast has for certain: where data say less than this, it is not bold.
const LEAST_FORETOLD: f64 = 0.01;

/// How much wider than the process says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Student {
    /// `nu`; infinity: as the process says.
    pub freedom: f64,
    /// `c`
    pub scale: f64,
}

impl Student {
    pub const GAUSSIAN: Self = Self { freedom: f64::INFINITY, scale: 1.0 };

    /// `nu` and `c` (log-uniform a priori) at which `rows` left out were likeliest, each given what was foretold of it:
    /// boldness, and the squared error over the process's variance.
    pub fn fit(rows: &[(f64, f64)]) -> Self {
        if rows.len() < FEWEST_ROWS {
            return Self::GAUSSIAN;
        }
        let freedoms = (0..FREEDOMS).map(|step| 2f64.powf(0.5 * step as f64));
        let scales = (0..SCALES).map(|step| (SCALE_STEP * step as f64 - 3.0).exp());
        let tried = freedoms
            .flat_map(|freedom| scales.clone().map(move |scale| Self { freedom, scale }))
            .map(|tried| (tried.log_likelihood(rows), tried));
        tried.max_by(|one, other| one.0.total_cmp(&other.0)).map_or(Self::GAUSSIAN, |(_, best)| best)
    }

    /// On both sd of what is foretold with this boldness.
    pub fn factor(&self, boldness: f64) -> f64 {
        if self.freedom.is_infinite() {
            return self.scale.sqrt();
        }
        ((self.freedom * self.scale + boldness) / (self.freedom + 1.0)).sqrt()
    }

    /// Up to a constant of the rows.
    fn log_likelihood(&self, rows: &[(f64, f64)]) -> f64 {
        let (freedom, least) = (self.freedom, self.freedom * self.scale);
        // t with nu + 1 degrees of freedom and variance (nu c + u) / (nu + 1).
        let of = |(boldness, square): &(f64, f64)| {
            let given = least + boldness;
            0.5 * (freedom + 1.0) * given.ln() - 0.5 * (freedom + 2.0) * (given + square).ln()
        };
        // Gamma((nu + 2) / 2) / Gamma((nu + 1) / 2)
        rows.len() as f64 * log_gamma_step(0.5 * (freedom + 1.0)) + rows.iter().map(of).sum::<f64>()
    }
}

/// Of the rows that `process` was fitted to, each left out: `parts` `[N, N]` each, `inverse` of their covariance. What a row
/// weighs in the others' weights is taken out in closed form, as in Rasmussen & Williams 2006, eq. 5.12.
pub fn left_out(process: &Process, parts: &Parts, inverse: &Tensor) -> Result<Vec<f64>> {
    let [additive, by_context, product, product_by_context, ..] = process.weights;
    let of_edits = [additive, by_context, product, product_by_context, 0.0, 0.0];
    let k = parts.weighted(&of_edits)?.f_to_kind(Kind::Double)?;
    let k = k.f_sub(&k.f_diagonal(0, 0, 1)?.f_diag_embed(0, 0, 1)?)?;
    let over = |products: Tensor| -> Result<Vec<f64>> {
        tensor::to_f64(&products.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?)
    };
    let own = tensor::to_f64(&inverse.f_diagonal(0, 0, 1)?)?;
    let alpha = tensor::to_f64(&process.alpha)?;
    let through_itself = over(k.f_mul(inverse)?)?;
    let away = tensor::to_f64(&k.f_matmul(&process.alpha)?)?;
    let foretold = over(k.f_matmul(inverse)?.f_mul(&k)?)?;
    let of = |row: usize| {
        let itself = through_itself[row] / own[row];
        boldness(away[row] - itself * alpha[row], foretold[row] - itself * through_itself[row])
    };
    Ok((0..own.len()).map(of).collect())
}

/// `u` of what is foretold as so far `away`, where forecasts have the variance `foretold` a priori.
pub fn boldness(away: f64, foretold: f64) -> f64 {
    (away * away + LEAST_FORETOLD) / (foretold.max(0.0) + LEAST_FORETOLD)
}

/// `ln Gamma(x + 1/2) - ln Gamma(x)`, x at least 1: by `Gamma(x + 1) = x Gamma(x)` up to where the series of Tricomi &
/// Erdelyi 1951 is exact to 1e-9.
fn log_gamma_step(x: f64) -> f64 {
    let mut x = x;
    let mut below = 0.0;
    while x < 20.0 {
        below += (x / (x + 0.5)).ln();
        x += 1.0;
    }
    let y = x.recip();
    below
        + 0.5 * x.ln()
        + (1.0 - y / 8.0 + y.powi(2) / 128.0 + 5.0 * y.powi(3) / 1024.0 - 21.0 * y.powi(4) / 32_768.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sets::amplitude::Members;

    /// Normal scores, in an order that has nothing to do with the place.
    fn normals(count: usize, times: usize) -> impl Iterator<Item = f64> {
        (0..count).map(move |i| {
            let u = ((i * times) % count) as f64 / count as f64 + 0.5 / count as f64;
            let (mut low, mut high) = (-8.0, 8.0);
            for _ in 0..60 {
                let middle = (low + high) / 2.0;
                if crate::metrics::normal_cdf(middle) < u { low = middle } else { high = middle }
            }
            low
        })
    }

    /// Forecasts and values of variance 1 each, `size(i)` times as large.
    fn rows(size: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        let both = normals(401, 1).zip(normals(401, 150)).enumerate();
        both.map(|(i, (mean, error))| (boldness(mean * size(i), 1.0), (error * size(i)).powi(2))).collect()
    }

    #[test]
    fn gaussian_values_stay_as_the_process_says() {
        let found = Student::fit(&rows(|_| 1.0));
        assert!(found.freedom >= 16.0, "{found:?}");
        for boldness in [0.0, 1.0, 6.0] {
            assert!((found.factor(boldness) - 1.0).abs() < 0.15, "{found:?} {boldness}");
        }
    }

    #[test]
    fn where_one_in_ten_is_large_the_bold_are_unsure() {
        let found = Student::fit(&rows(|i| if (i * 7) % 10 == 0 { 4.0 } else { 0.5 }));
        assert!(found.freedom < 4.0, "{found:?}");
        assert!(found.factor(0.0) < 0.8 && found.factor(16.0) > 2.0, "{found:?}");
    }

    #[test]
    fn the_order_of_rows_changes_nothing() {
        let there = rows(|i| if (i * 7) % 10 == 0 { 4.0 } else { 0.5 });
        let back: Vec<(f64, f64)> = there.iter().rev().copied().collect();
        assert_eq!(Student::fit(&there), Student::fit(&back));
    }

    #[test]
    fn left_out_rows_are_as_bold_as_a_process_of_the_others_is() {
        let near = |place: i64, other: i64, length: f64| (-((place - other) as f64 / length).powi(2)).exp();
        let gram = |length: f64| {
            let cells: Vec<f64> = (0..64).map(|cell| near(cell / 8, cell % 8, length)).collect();
            tensor::from_f64(&cells, &[8, 8]).unwrap()
        };
        let zero = gram(1.0).zeros_like();
        let parts = Parts([gram(1.0), zero.copy(), gram(2.0), zero.copy(), gram(9.0), zero.copy()]);
        let target = [0.3, -0.2, 0.9, 3.0, 2.0, 0.1, -0.4, 0.2];
        let (process, others) = Process::fit(&parts, &target, &Members::none()).unwrap();
        let said = left_out(&process, &parts, &others.inverse).unwrap();
        let kept = Tensor::from_slice(&[0i64, 1, 2, 4, 5, 6, 7]);
        let root = process.root(&parts.subset(&kept).unwrap()).unwrap();
        let rest: Vec<f64> = [0, 1, 2, 4, 5, 6, 7].map(|row: usize| target[row] - process.centre).to_vec();
        let mut of_edits = process.weights;
        of_edits[4..].fill(0.0);
        let k = parts.weighted(&of_edits).unwrap().select(0, 3).index_select(0, &kept).unsqueeze(1);
        let weights = k.cholesky_solve(&root, false).transpose(0, 1);
        let away = weights.matmul(&tensor::from_f64(&rest, &[7, 1]).unwrap()).double_value(&[0, 0]);
        let expected = boldness(away, weights.matmul(&k).double_value(&[0, 0]));
        assert!((said[3] / expected - 1.0).abs() < 1e-6, "{} {expected}", said[3]);
    }

    #[test]
    fn nothing_changes_where_forecasts_are_as_bold_as_on_average_or_tails_are_light() {
        // 4 degrees of freedom: (4 + u) / 5.
        let found = Student { freedom: 4.0, scale: 1.0 };
        assert!((found.factor(1.0) - 1.0).abs() < 1e-12);
        assert!((found.factor(16.0) - 2.0).abs() < 1e-12);
        assert!((found.factor(boldness(1e-9, 1e-12)) - 1.0).abs() < 1e-6, "nothing is near");
        assert_eq!(Student::GAUSSIAN.factor(50.0), 1.0);
    }

    #[test]
    fn few_rows_show_no_tails() {
        let rows = rows(|i| if (i * 7) % 10 == 0 { 4.0 } else { 0.5 });
        assert_eq!(Student::fit(&rows[..39]), Student::GAUSSIAN);
    }

    #[test]
    fn the_likelihood_is_that_of_student_t() {
        // Two degrees of freedom, variance (1 * .5 + 1.5) / 2 = 1: density (2 + z^2)^(-3/2).
        let found = Student { freedom: 1.0, scale: 0.5 };
        let said = |square: f64| found.log_likelihood(&[(1.5, square)]);
        let by_hand = |square: f64| -1.5 * f64::ln(2.0 + square);
        assert!((said(0.0) - said(9.0) - (by_hand(0.0) - by_hand(9.0))).abs() < 1e-12);
        // Gamma(3/2) = sqrt(pi) / 2, Gamma(5/2) / Gamma(2) = 3 sqrt(pi) / 4.
        let root = std::f64::consts::PI.sqrt();
        assert!((log_gamma_step(1.0) - (root / 2.0).ln()).abs() < 1e-9);
        assert!((log_gamma_step(2.0) - (0.75 * root).ln()).abs() < 1e-9);
    }
}
