//! Levels in an order: the proportional odds model (McCullagh, J. R. Stat. Soc. B 42:109, 1980).
//!
//! `P(level <= k) = sigmoid(threshold_k - x b)`, `b ~ N(0, 1 / precision)`. The likelihood is concave in thresholds and
//! weights together (Pratt 1981), so Newton steps, halved until they help, find its one mode.

use crate::metrics::sigmoid;
use crate::{Error, Result, tensor};
use tch::{Kind, Tensor};

/// Of a threshold about where the levels' shares put it: it is held, not fitted to a handful.
const THRESHOLD_PRECISION: f64 = 0.25;

#[derive(Debug)]
pub struct Ordinal {
    /// `[P, 1]`
    pub weights: Tensor,
    /// One less than levels, ascending.
    pub thresholds: Vec<f64>,
}

impl Ordinal {
    /// `x`: `[N, P]` without a column of ones; `levels`: from 0, below `count`; `precision`: `[P]`.
    pub fn fit(x: &Tensor, levels: &[usize], count: usize, precision: &[f64]) -> Result<Self> {
        if count < 2 {
            return Err(Error::Settings("an ordinal readout has two levels at least".into()));
        }
        let width = precision.len();
        let start = shares(levels, count);
        let centre: Vec<f64> = std::iter::repeat_n(0.0, width).chain(start.iter().copied()).collect();
        let held = std::iter::repeat_n(THRESHOLD_PRECISION, count - 1);
        let prior: Vec<f64> = precision.iter().copied().chain(held).collect();
        let (centre, prior) = (tensor::from_f64(&centre, &[-1, 1])?, tensor::from_f64(&prior, &[-1, 1])?);
        let designs = Designs::of(x, levels, count)?;
        let mut at = centre.copy();
        let mut best = designs.loss(&at, &centre, &prior)?;
        for _ in 0..50 {
            let step = designs.step(&at, &centre, &prior)?;
            let (mut part, mut gained) = (1.0, 0.0);
            while gained <= 0.0 && part > 1e-6 {
                let tried = at.f_add(&step.f_mul_scalar(part)?)?;
                let new = designs.loss(&tried, &centre, &prior)?;
                gained = best - new;
                if gained > 0.0 {
                    (at, best) = (tried, new);
                }
                part /= 2.0;
            }
            if gained < 1e-9 * best.max(1.0) {
                break;
            }
        }
        let thresholds = tensor::to_f64(&at.f_narrow(0, width as i64, count as i64 - 1)?)?;
        Ok(Self { weights: at.f_narrow(0, 0, width as i64)?.f_contiguous()?, thresholds })
    }

    /// `[M][levels]` of each row of `x`, `[M, P]`.
    pub fn probabilities(&self, x: &Tensor) -> Result<Vec<Vec<f64>>> {
        let of = |place: f64| {
            let below = self.thresholds.iter().map(|threshold| sigmoid(threshold - place));
            let below: Vec<f64> = std::iter::once(0.0).chain(below).chain(std::iter::once(1.0)).collect();
            below.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).collect()
        };
        let weights = self.weights.f_to_device(x.device())?;
        Ok(tensor::to_f64(&x.f_matmul(&weights)?)?.into_iter().map(of).collect())
    }
}

/// Thresholds at which the levels have the shares that came, each level one row richer.
fn shares(levels: &[usize], count: usize) -> Vec<f64> {
    let of = |k: usize| levels.iter().filter(|level| **level <= k).count() as f64 + k as f64 + 1.0;
    let all = (levels.len() + count) as f64;
    (0..count - 1).map(|k| crate::metrics::logit(of(k) / all)).collect()
}

/// Each row lies between an upper and a lower threshold: both are linear in weights and thresholds together.
struct Designs {
    /// `[N, P + thresholds]`
    upper: Tensor,
    lower: Tensor,
    /// Which rows have an upper threshold (all but those of the last level), and a lower one.
    has_upper: Vec<bool>,
    has_lower: Vec<bool>,
}

/// Of one row: log likelihood and its derivatives by the upper and the lower end.
struct Local {
    log: f64,
    upper: f64,
    lower: f64,
    upper2: f64,
    lower2: f64,
    both: f64,
}

impl Designs {
    fn of(x: &Tensor, levels: &[usize], count: usize) -> Result<Self> {
        let minus = x.f_neg()?;
        let ends = |end: &dyn Fn(usize) -> Option<usize>| -> Result<Tensor> {
            let mut hot = vec![0.0; levels.len() * (count - 1)];
            for (row, level) in levels.iter().enumerate() {
                if let Some(k) = end(*level).filter(|k| *k < count - 1) {
                    hot[row * (count - 1) + k] = 1.0;
                }
            }
            let hot = tensor::from_f64(&hot, &[levels.len() as i64, count as i64 - 1])?;
            Ok(Tensor::f_cat(&[&minus, &hot], 1)?)
        };
        Ok(Self {
            upper: ends(&|level| Some(level))?,
            lower: ends(&|level| level.checked_sub(1))?,
            has_upper: levels.iter().map(|level| level + 1 < count).collect(),
            has_lower: levels.iter().map(|level| *level > 0).collect(),
        })
    }

    fn local(&self, at: &Tensor) -> Result<Vec<Local>> {
        let (upper, lower) =
            (tensor::to_f64(&self.upper.f_matmul(at)?)?, tensor::to_f64(&self.lower.f_matmul(at)?)?);
        let rows = upper.iter().zip(&lower).zip(self.has_upper.iter().zip(&self.has_lower));
        Ok(rows.map(|((a, b), (up, low))| local(up.then_some(*a), low.then_some(*b))).collect())
    }

    /// Negative log posterior, up to a constant; infinite where thresholds cross.
    fn loss(&self, at: &Tensor, centre: &Tensor, prior: &Tensor) -> Result<f64> {
        let pulled = at.f_sub(centre)?.f_square()?.f_mul(prior)?.f_sum(Kind::Double)?;
        let pulled = tensor::to_f64(&pulled)?.first().copied().unwrap_or(f64::INFINITY);
        Ok(0.5 * pulled - self.local(at)?.iter().map(|row| row.log).sum::<f64>())
    }

    fn step(&self, at: &Tensor, centre: &Tensor, prior: &Tensor) -> Result<Tensor> {
        let local = self.local(at)?;
        let column = |of: fn(&Local) -> f64| -> Result<Tensor> {
            tensor::from_f64(&local.iter().map(of).collect::<Vec<f64>>(), &[-1, 1])
        };
        let (upper_t, lower_t) = (self.upper.f_transpose(0, 1)?, self.lower.f_transpose(0, 1)?);
        let gradient =
            upper_t.f_matmul(&column(|l| l.upper)?)?.f_add(&lower_t.f_matmul(&column(|l| l.lower)?)?)?;
        let gradient = gradient.f_add(&prior.f_mul(&centre.f_sub(at)?)?)?;
        let cross = upper_t.f_matmul(&self.lower.f_mul(&column(|l| l.both)?)?)?;
        let curvature = upper_t
            .f_matmul(&self.upper.f_mul(&column(|l| l.upper2)?)?)?
            .f_add(&lower_t.f_matmul(&self.lower.f_mul(&column(|l| l.lower2)?)?)?)?
            .f_add(&cross)?
            .f_add(&cross.f_transpose(0, 1)?)?;
        let full = prior.f_squeeze_dim(1)?.f_diag(0)?.f_sub(&curvature)?;
        Ok(gradient.f_cholesky_solve(&full.f_linalg_cholesky(false)?, false)?)
    }
}

/// `None`: that end is open.
fn local(upper: Option<f64>, lower: Option<f64>) -> Local {
    let (above, below) = (upper.map_or(1.0, sigmoid), lower.map_or(0.0, sigmoid));
    let chance = above - below;
    if chance <= 1e-300 {
        let log = f64::NEG_INFINITY;
        return Local { log, upper: 0.0, lower: 0.0, upper2: 0.0, lower2: 0.0, both: 0.0 };
    }
    // Logistic densities at both ends, and their slopes.
    let (f, g) = (above * (1.0 - above), below * (1.0 - below));
    let (f2, g2) = (f * (1.0 - 2.0 * above), g * (1.0 - 2.0 * below));
    let (up, low) = (f / chance, -g / chance);
    Local {
        log: chance.ln(),
        upper: up,
        lower: low,
        upper2: f2 / chance - up * up,
        lower2: -g2 / chance - low * low,
        both: -up * low,
    }
}
