//! The probability of a hit: two lines and a forest, all starting from what other screens say.
//!
//! Hits above and hits below the rest have different causes, and are told apart by the value: one logistic
//! regression each ([`logistic`](super::logistic)), a hit being either. A forest
//! ([`forest`](super::forest)) finds what no line can: the hits of one pathway among the essential genes. The
//! two opinions are averaged as log-odds. Without data both say what the other screens say.

use crate::line::{Firmness, Line};
use crate::linear::forest::{Forest, Node, Rows, Surprise};
use crate::linear::logistic::Logistic;
use crate::metrics::{logit, sigmoid};
use crate::prior::screens::HIT_SHARE;
use crate::{Error, Result, tensor, threads};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use tch::Tensor;

/// Fewer hits grow no forest.
const FEWEST_HITS: usize = 3;
/// Fewer rows grow no forest.
const FEWEST_ROWS: usize = 20;
/// The column that holds the log-odds from other screens.
pub const ODDS: usize = 1;

/// Where the weights are before any data, and how firmly.
pub struct Prior {
    pub centre: Vec<f64>,
    pub precision: Vec<f64>,
}

#[derive(Debug)]
pub struct HitModel {
    pub above: Logistic,
    pub below: Logistic,
    pub forest: Forest,
    /// What the forest corrects: the log-odds from other screens, bent to this one about those of a gene of which nothing
    /// is known.
    ///
    /// What is measured was chosen as likely hits. When more of it are hits than foretold, that is first of all the slope
    /// (this screen agrees more with the others), and only then the level, which would lift all that was not chosen.
    pub base: Line,
}

/// Rows to learn from, double precision.
pub struct Cases<'a> {
    /// `[N, P]`; column [`ODDS`] holds the log-odds from other screens.
    pub x: &'a Tensor,
    pub hits: &'a [f64],
    pub values: &'a [f64],
}

impl HitModel {
    pub fn fit(cases: &Cases, prior: &Prior, rng: &mut ChaCha8Rng) -> Result<Self> {
        let halved = halved(cases.x)?;
        let side = |calls: &[f64]| -> Result<Logistic> {
            Logistic::fit(&halved, &tensor::from_f64(calls, &[-1, 1])?, &prior.centre, &prior.precision)
        };
        let (above, below) = sides(cases.hits, cases.values);
        let (above, below) = (side(&above)?, side(&below)?);
        let hit_count = cases.hits.iter().filter(|hit| **hit > 0.5).count();
        let mut model = Self { above, below, forest: Forest::default(), base: Line::identity(usual()) };
        if hit_count >= FEWEST_HITS && cases.hits.len() >= FEWEST_ROWS {
            let odds = tensor::to_f64(&cases.x.f_select(1, ODDS as i64)?)?;
            // As firmly held as the lines' weights.
            let held = Firmness { slope: prior.precision[ODDS], shift: prior.precision[0] };
            let called: Vec<(f64, f64)> = odds.iter().copied().zip(cases.hits.iter().copied()).collect();
            model.base = Line::fit(&called, usual(), held);
            let surprise =
                |(odds, hit): (&f64, &f64)| Surprise::of(*hit, sigmoid(model.base.log_odds(*odds)));
            let surprises: Vec<Surprise> = odds.iter().zip(cases.hits).map(surprise).collect();
            let values = tensor::to_f32(cases.x)?;
            model.forest = Forest::fit(Rows { values: &values, width: width(cases.x)? }, &surprises, rng);
        }
        Ok(model)
    }

    /// Log-odds of each row of `x`, `[N, P]`, single precision. `above`, `below`: the row times the weights of either
    /// line, `[N]`.
    ///
    /// At the mode, not averaged over the posterior (MacKay 1992, eq. 5.10): the log-odds that other screens
    /// give are averages already, and averaging again lifts the genes with the most annotations.
    pub fn log_odds(&self, x: &Tensor, above: &[f64], below: &[f64]) -> Result<Vec<f64>> {
        let weight = |line: &Logistic| -> Result<f64> { Ok(line.weights.f_double_value(&[ODDS as i64, 0])?) };
        let weights = (weight(&self.above)?, weight(&self.below)?);
        let grown = !self.forest.roots.is_empty();
        let corrections = if grown { Some(self.forest.corrections_of(x)?) } else { None };
        let of_screens = tensor::to_f32(&x.f_select(1, ODDS as i64)?)?;
        let base = self.base;
        Ok(threads::collect(above.len(), 0.0, |row| {
            let odds = of_screens.get(row).copied().map_or(0.0, f64::from);
            // The lines know the odds of one side.
            let moved = of_one_side(odds) - odds;
            let line = either(above[row] + moved * weights.0, below[row] + moved * weights.1);
            match &corrections {
                Some(corrections) => 0.5 * (line + base.log_odds(odds) + corrections[row]),
                None => line,
            }
        }))
    }

    pub fn to_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let nodes = &self.forest.nodes;
        let numbers = nodes.iter().flat_map(|n| {
            [n.column as f32, n.threshold, n.left as f32, n.right as f32, n.correction].map(f64::from)
        });
        let roots: Vec<f64> = self.forest.roots.iter().map(|root| f64::from(*root)).collect();
        Ok(BTreeMap::from([
            ("hit.above".to_owned(), self.above.weights.shallow_clone()),
            ("hit.below".to_owned(), self.below.weights.shallow_clone()),
            ("hit.base".to_owned(), tensor::from_f64(&[self.base.slope, self.base.shift], &[2])?),
            ("hit.nodes".to_owned(), tensor::from_f64(&numbers.collect::<Vec<_>>(), &[-1, 5])?),
            ("hit.roots".to_owned(), tensor::from_f64(&roots, &[roots.len() as i64])?),
        ]))
    }

    pub fn from_tensors(tensor_of: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let numbers = tensor::to_f64(&tensor_of("hit.nodes")?)?;
        let node = |n: &[f64; 5]| Node {
            column: n[0] as u32,
            threshold: n[1] as f32,
            left: n[2] as u32,
            right: n[3] as u32,
            correction: n[4] as f32,
        };
        let nodes: Vec<Node> = numbers.as_chunks::<5>().0.iter().map(node).collect();
        let roots = tensor::to_f64(&tensor_of("hit.roots")?)?.into_iter().map(|root| root as u32).collect();
        let base = tensor::to_f64(&tensor_of("hit.base")?)?;
        let [slope, shift] = base[..] else { return Err(Error::Checkpoint("it holds no base".into())) };
        let forest = Forest { nodes, roots };
        if !forest.is_sound() {
            return Err(Error::Checkpoint("its trees do not end".into()));
        }
        let (above, below) = (tensor_of("hit.above")?, tensor_of("hit.below")?);
        Ok(Self {
            above: Logistic { weights: above },
            below: Logistic { weights: below },
            forest,
            base: Line { centre: usual(), slope, shift },
        })
    }
}

fn width(x: &Tensor) -> Result<usize> {
    Ok(usize::try_from(x.size2()?.1).unwrap_or(0))
}

/// Of a gene of which nothing is known, and of one side of it.
fn usual() -> f64 {
    logit(HIT_SHARE)
}

/// Where the intercept of a line is before any data.
pub fn usual_of_a_side() -> f64 {
    logit(1.0 - (1.0 - HIT_SHARE).sqrt())
}

/// Log-odds shared between the two sides, `1 - (1 - p)^(1/2)` each, and about what is usual of one.
fn of_one_side(odds: f64) -> f64 {
    // log(1 - p) of log-odds l is -softplus(l); half of it survives on each side.
    let half = -0.5 * softplus(odds);
    (-half.exp_m1()).ln() - half - usual_of_a_side()
}

/// `ln(1 + e^l)`.
fn softplus(l: f64) -> f64 {
    l.max(0.0) + (-l.abs()).exp().ln_1p()
}

/// `x` with the log-odds from other screens as [one side](of_one_side) has them.
fn halved(x: &Tensor) -> Result<Tensor> {
    let odds = tensor::to_f64(&x.f_select(1, ODDS as i64)?)?;
    let odds: Vec<f64> = odds.into_iter().map(of_one_side).collect();
    let width = x.size2()?.1;
    let rest = x.f_narrow(1, ODDS as i64 + 1, width - ODDS as i64 - 1)?;
    Ok(Tensor::f_cat(&[x.f_narrow(1, 0, ODDS as i64)?, tensor::from_f64(&odds, &[-1, 1])?, rest], 1)?)
}

/// Log-odds that at least one of two things happens.
fn either(one: f64, other: f64) -> f64 {
    let survives = (1.0 - sigmoid(one)) * (1.0 - sigmoid(other));
    logit(1.0 - survives)
}

/// Calls of hits above, and of hits below, the middle of what is no hit.
fn sides(hits: &[f64], values: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut rest: Vec<f64> =
        hits.iter().zip(values).filter(|(hit, _)| **hit < 0.5).map(|(_, v)| *v).collect();
    rest.sort_by(f64::total_cmp);
    let middle = rest.get(rest.len() / 2).copied().unwrap_or(0.0);
    let called = |above: bool| {
        let on = |(hit, value): (&f64, &f64)| if (*value > middle) == above { *hit } else { 0.0 };
        hits.iter().zip(values).map(on).collect()
    };
    (called(true), called(false))
}
