//! Numbers: one, or a vector of them by low rank.
//!
//! A vector `[N, D]` is brought to mean 0 and sd 1, and learnt in its R leading directions (principal components; Tipping
//! & Bishop 1999): one exact Bayesian regression each, all in one eigenbasis of the columns. What the directions leave
//! out is noise of its component. A single number is the case D = R = 1.
//!
//! Noise is replicate-aware: [`crate::linear::replicates`].

use super::rows::Rows;
use crate::calibration;
use crate::linear::regression::{Regression, Spectrum};
use crate::metrics::{self, Forecast};
use crate::model::Scale;
use crate::{Result, tensor};
use jobs::work::readout::ReadoutMetrics;
use std::collections::BTreeMap;
use tch::{Kind, Tensor};

/// Directions learnt of a vector, at most.
const MOST_DIRECTIONS: usize = 16;
/// A direction needs this many rows.
const ROWS_A_DIRECTION: usize = 4;

#[derive(Debug)]
pub struct Values {
    /// Of each component, in its own units.
    pub scales: Vec<Scale>,
    /// `[D, R]`, orthonormal.
    pub basis: Tensor,
    /// `[P, R]`
    pub weights: Tensor,
    /// `[P, P]`: eigenvectors of X'X.
    pub vectors: Tensor,
    /// `[P, R]`: posterior variance along each eigenvector.
    pub variances: Tensor,
    /// `[R]`: noise of each direction, variance.
    pub noise: Vec<f64>,
    /// `[D]`: variance outside the directions.
    pub rest: Vec<f64>,
    /// Conformal factor on sd.
    pub sd_factor: f64,
}

/// `[M][D]` each, in the components' own units.
pub struct Predicted {
    pub mean: Vec<Vec<f64>>,
    pub epistemic_sd: Vec<Vec<f64>>,
    /// `[D]`
    pub aleatoric_sd: Vec<f64>,
}

impl Values {
    /// Trains on all rows; scores each fold by a model of the others.
    pub(super) fn fit(rows: &Rows, report: &mut ReadoutMetrics) -> Result<Self> {
        let all: Vec<usize> = (0..rows.len()).collect();
        let mut model = Self::on(rows, &all)?;
        let (mut held_out, mut baseline) = (Vec::new(), Vec::new());
        for fold in 0..rows.fold_count() {
            let (rest, held) = rows.split(fold);
            let others = Self::on(rows, &rest)?;
            let predicted = others.predict(&rows.columns_of(&held)?)?;
            for (place, &row) in held.iter().enumerate() {
                for (component, scale) in model.scales.iter().enumerate() {
                    let observed = rows.y[row][component];
                    if observed.is_finite() {
                        let sd =
                            predicted.epistemic_sd[place][component].hypot(predicted.aleatoric_sd[component]);
                        held_out.push(standardised(predicted.mean[place][component], sd, observed, scale));
                        let by_mean = &others.scales[component];
                        baseline.push(standardised(by_mean.mean, by_mean.sd, observed, scale));
                    }
                }
            }
        }
        model.sd_factor = calibration::sd_factor(&held_out);
        let widened: Vec<Forecast> =
            held_out.iter().map(|f| Forecast { sd: f.sd * model.sd_factor, ..*f }).collect();
        report.held_out_log_score = metrics::mean(widened.iter().map(Forecast::log_score));
        report.baseline_log_score = metrics::mean(baseline.iter().map(Forecast::log_score));
        report.coverage_90 = metrics::coverage(&widened).map(|covered| covered.of_90);
        Ok(model)
    }

    fn on(rows: &Rows, chosen: &[usize]) -> Result<Self> {
        let width = rows.y.first().map_or(0, Vec::len);
        let scales: Vec<Scale> = (0..width).map(|component| scale(rows, chosen, component)).collect();
        let standard = |&row: &usize| {
            let values = rows.y[row].iter().zip(&scales);
            // What was not measured is where the mean is.
            values.map(|(y, s)| if y.is_finite() { (y - s.mean) / s.sd } else { 0.0 }).collect::<Vec<f64>>()
        };
        let y: Vec<f64> = chosen.iter().flat_map(standard).collect();
        let y = tensor::from_f64(&y, &[chosen.len() as i64, width as i64])?;
        let basis = directions(&y)?;
        let scores = y.f_matmul(&basis)?;
        let x = rows.columns_of(chosen)?;
        let plain = Fitted::of(&x, &scores)?;
        // Of a vector, replicates of each component would be another weight.
        let noise = plain.noise.first().filter(|_| width == 1);
        let counts = noise.and_then(|noise| rows.replicates.of(chosen).weights(*noise, scales[0].sd));
        let fitted = match counts {
            Some(weights) => {
                let root: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
                let root = tensor::from_f64(&root, &[-1, 1])?;
                Fitted::of(&x.f_mul(&root)?, &scores.f_mul(&root)?)?
            }
            None => plain,
        };
        let outside = y.f_sub(&scores.f_matmul(&basis.f_transpose(0, 1)?)?)?.f_square()?;
        let rest = outside.f_mean_dim([0i64].as_slice(), false, Kind::Double)?;
        let Fitted { weights, vectors, variances, noise } = fitted;
        let rest = tensor::to_f64(&rest)?;
        Ok(Self { scales, basis, weights, vectors, variances, noise, rest, sd_factor: 1.0 })
    }

    /// `x`: `[M, P]`, double precision.
    pub fn predict(&self, x: &Tensor) -> Result<Predicted> {
        let on = |values: &Tensor| values.f_to_device(x.device());
        let basis = on(&self.basis)?;
        let (across, squared) = (basis.f_transpose(0, 1)?, basis.f_square()?.f_transpose(0, 1)?);
        let mean = tensor::to_f64(&x.f_matmul(&on(&self.weights)?)?.f_matmul(&across)?)?;
        let variance = x.f_matmul(&on(&self.vectors)?)?.f_square()?.f_matmul(&on(&self.variances)?)?;
        let epistemic = tensor::to_f64(&variance.f_matmul(&squared)?.f_sqrt()?)?;
        let noise = on(&tensor::from_f64(&self.noise, &[1, -1])?)?.f_matmul(&squared)?;
        let aleatoric = tensor::to_f64(&noise)?.into_iter().zip(&self.rest).zip(&self.scales);
        let width = self.scales.len().max(1);
        let rows = |values: &[f64], of: &dyn Fn(f64, &Scale) -> f64| -> Vec<Vec<f64>> {
            let scaled = |row: &[f64]| row.iter().zip(&self.scales).map(|(v, s)| of(*v, s)).collect();
            values.chunks(width).map(scaled).collect()
        };
        Ok(Predicted {
            mean: rows(&mean, &|value, scale| scale.mean + scale.sd * value),
            epistemic_sd: rows(&epistemic, &|sd, scale| self.sd_factor * scale.sd * sd),
            aleatoric_sd: aleatoric
                .map(|((inside, outside), scale)| self.sd_factor * scale.sd * (inside + outside).sqrt())
                .collect(),
        })
    }

    pub(super) fn to_tensors(&self) -> Result<BTreeMap<&'static str, Tensor>> {
        let numbers: Vec<f64> = self.scales.iter().flat_map(|scale| [scale.mean, scale.sd]).collect();
        Ok(BTreeMap::from([
            ("scales", tensor::from_f64(&numbers, &[-1, 2])?),
            ("basis", self.basis.shallow_clone()),
            ("weights", self.weights.shallow_clone()),
            ("vectors", self.vectors.shallow_clone()),
            ("variances", self.variances.shallow_clone()),
            ("noise", tensor::from_f64(&self.noise, &[-1])?),
            ("rest", tensor::from_f64(&self.rest, &[-1])?),
            ("sd_factor", tensor::from_f64(&[self.sd_factor], &[1])?),
        ]))
    }

    pub(super) fn from_tensors(tensor_of: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let numbers = tensor::to_f64(&tensor_of("scales")?)?;
        let scales = numbers.as_chunks::<2>().0.iter().map(|[mean, sd]| Scale { mean: *mean, sd: *sd });
        Ok(Self {
            scales: scales.collect(),
            basis: tensor_of("basis")?,
            weights: tensor_of("weights")?,
            vectors: tensor_of("vectors")?,
            variances: tensor_of("variances")?,
            noise: tensor::to_f64(&tensor_of("noise")?)?,
            rest: tensor::to_f64(&tensor_of("rest")?)?,
            sd_factor: tensor::to_f64(&tensor_of("sd_factor")?)?.first().copied().unwrap_or(1.0),
        })
    }
}

/// Regressions of several targets on the same columns.
struct Fitted {
    weights: Tensor,
    vectors: Tensor,
    variances: Tensor,
    noise: Vec<f64>,
}

impl Fitted {
    /// `x`: `[N, P]`, `y`: `[N, R]`.
    fn of(x: &Tensor, y: &Tensor) -> Result<Self> {
        let spectra = Spectrum::of_each(x, y)?;
        let (mut weights, mut variances, mut noise) = (Vec::new(), Vec::new(), Vec::new());
        for spectrum in &spectra {
            let (alpha, beta) = spectrum.maximise_evidence();
            weights.push(Regression::mode(spectrum, alpha, beta)?);
            let along: Vec<f64> = spectrum.values.iter().map(|v| 1.0 / (alpha + beta * v)).collect();
            variances.push(tensor::from_f64(&along, &[-1, 1])?);
            noise.push(beta.recip());
        }
        let vectors = spectra.first().map(|spectrum| spectrum.vectors.shallow_clone());
        let vectors = vectors.map_or_else(|| tensor::from_f64(&[], &[0, 0]), Ok)?;
        Ok(Self {
            weights: Tensor::f_cat(&weights, 1)?,
            vectors,
            variances: Tensor::f_cat(&variances, 1)?,
            noise,
        })
    }
}

/// Of the measured values of one component.
fn scale(rows: &Rows, chosen: &[usize], component: usize) -> Scale {
    let of = |&row: &usize| rows.y[row].get(component).copied().filter(|value| value.is_finite());
    let values: Vec<f64> = chosen.iter().filter_map(of).collect();
    let mean = metrics::mean(values.iter().copied()).unwrap_or(0.0);
    Scale { mean, sd: metrics::sd(&values).filter(|sd| *sd > 1e-12).unwrap_or(1.0) }
}

/// `[D, R]`: the leading principal directions of `y`, `[N, D]`.
fn directions(y: &Tensor) -> Result<Tensor> {
    let (count, width) = y.size2()?;
    let most = MOST_DIRECTIONS.min((count as usize / ROWS_A_DIRECTION).max(1)) as i64;
    let rank = most.min(width).max(1);
    let (_, vectors) = y.f_transpose(0, 1)?.f_matmul(y)?.f_linalg_eigh("L")?;
    // Eigenvalues ascend.
    Ok(vectors.f_narrow(1, width - rank, rank)?.f_contiguous()?)
}

fn standardised(mean: f64, sd: f64, observed: f64, scale: &Scale) -> Forecast {
    let of = |value: f64| (value - scale.mean) / scale.sd;
    Forecast { mean: of(mean), sd: sd / scale.sd, observed: of(observed) }
}
