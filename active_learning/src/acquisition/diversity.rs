//! A batch that does not ask the same thing twice, for any rule.
//!
//! Greedy maximisation of a determinantal point process (Kulesza & Taskar 2012; the greedy algorithm in
//! `O(shortlist x batch^2)`, Chen, Zhang & Zhou 2018, algorithm 1, eq. 12 for the trade-off) over the rule's best:
//! pick after pick, the largest
//!
//! ```text
//! (1 - diversity) * -ln(1 + rank / batch)  +  diversity * ln(variance left)
//! ```
//!
//! `rank` is the place (from 0) that the rule alone gives a candidate. `variance left` is what a Gaussian process over
//! the features leaves of a candidate's variance (of 1) once those already picked are measured; its product over a
//! batch is the determinant, and the logarithm of that the batch's joint information. At 0 the rule alone chooses, at
//! 1 the features alone, among the rule's [`SHORTLIST`] batches of best.
//!
//! Where we depart: quality is by rank and not by the score, because scores of different rules (nats, samples,
//! probabilities) have no common unit; the order of the rule is all that enters, and any monotone change of its score
//! changes nothing.

use crate::{Result, tensor};
use std::ops::Range;
use tch::{Kind, Tensor};

/// The rule's best that are looked at, in batches: from the ninth batch on a candidate is not worth the spread.
const SHORTLIST: usize = 8;
/// What measuring a candidate leaves of its variance: noise, and what no feature tells. Of two equal candidates the
/// second has this much to teach.
const FLOOR: f32 = 0.01;
/// Rows whose distances give the kernel its width.
const SAMPLE: i64 = 256;
/// Ranks that hear together of what is measured: most of the rule's eight batches never need to.
const BLOCK: usize = 128;
const LANES: usize = 16;
/// Distances by differences, not through products: those of copies are 0.
const EXACT: Option<i64> = Some(2);

/// Candidates in the rule's order that are worth looking at for `count` picks.
pub fn shortlist(count: usize) -> usize {
    count.saturating_mul(SHORTLIST)
}

/// Picks `count` of the ranked: their ranks, in the order picked. `rows`: `[chosen + ranked, features]`, single
/// precision: first what is `chosen` already (pending, or by another rule), then the rule's best in its order.
/// `strength`: 0 to 1; `batch`: what ranks are measured in.
pub fn spread(
    rows: &Tensor,
    chosen: usize,
    strength: f64,
    (batch, count): (usize, usize),
) -> Result<Vec<usize>> {
    let mut process = Process::new(rows)?;
    (0..chosen).for_each(|row| process.measure(row));
    let ranked = process.variance.len().saturating_sub(chosen);
    let quality: Vec<f64> =
        (0..ranked).map(|rank| -(1.0 - strength) * (rank as f64 / batch.max(1) as f64).ln_1p()).collect();
    let all: Vec<usize> = (0..ranked).collect();
    let mut left: Vec<Vec<usize>> = all.chunks(BLOCK).map(<[usize]>::to_vec).collect();
    let mut picked = Vec::with_capacity(count.min(ranked));
    while picked.len() < count.min(ranked) {
        // The first of equals: what the rule puts first.
        let (mut best, mut most) = ((0, 0), f64::NEG_INFINITY);
        for (part, ranks) in left.iter().enumerate() {
            let Some(&first) = ranks.first() else { continue };
            // Ranks only get worse, and no variance exceeds the first: nobody further down can be better.
            if quality[first] + strength * f64::from(1.0 + FLOOR).ln() <= most {
                break;
            }
            for (place, &rank) in ranks.iter().enumerate() {
                let gain = quality[rank] + strength * f64::from(process.variance(chosen + rank)).ln();
                if gain > most {
                    (best, most) = ((part, place), gain);
                }
            }
        }
        let rank = left[best.0].remove(best.1);
        picked.push(rank);
        process.measure(chosen + rank);
    }
    Ok(picked)
}

/// A Gaussian process over rows with a squared-exponential kernel of variance 1, as wide as rows are apart in the
/// median; grown one row measured at a time. A block of rows hears of what was measured when one of them is asked for.
struct Process {
    /// `[rows, width]`, row by row.
    values: Vec<f32>,
    width: usize,
    /// `[rows]`
    squares: Vec<f32>,
    squared_width: f32,
    /// `[rows]`: of what is still open, noise included, as far as the block has heard.
    variance: Vec<f32>,
    /// `[blocks][measured][rows of the block]`: the columns of the Cholesky factor.
    columns: Vec<Vec<Vec<f32>>>,
    measured: Vec<Measured>,
}

struct Measured {
    row: usize,
    /// Its own entries in the columns before its own.
    entries: Vec<f32>,
    /// Of its own column.
    scale: f32,
}

impl Process {
    fn new(rows: &Tensor) -> Result<Self> {
        let squares = rows.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
        let (count, width) = rows.size2()?;
        let step = (count / SAMPLE).max(1);
        let some = rows.f_slice(0, 0, count, step)?;
        let apart = Tensor::f_cdist(&some, &some, 2.0, EXACT)?.f_square()?;
        let apart = apart.f_masked_select(&apart.f_gt(1e-6)?)?;
        let median = if apart.numel() == 0 { 1.0 } else { apart.f_median()?.double_value(&[]) };
        let squares = tensor::to_f32(&squares)?;
        Ok(Self {
            values: tensor::to_f32(rows)?,
            width: usize::try_from(width).unwrap_or(0),
            squared_width: median as f32,
            variance: vec![1.0 + FLOOR; squares.len()],
            columns: vec![Vec::new(); squares.len().div_ceil(BLOCK)],
            squares,
            measured: Vec::new(),
        })
    }

    /// What is left of the variance of `row` once all that is measured is.
    fn variance(&mut self, row: usize) -> f32 {
        self.hear(row / BLOCK);
        self.variance[row]
    }

    fn measure(&mut self, row: usize) {
        let scale = self.variance(row).max(FLOOR).sqrt().recip();
        let entries = self.columns[row / BLOCK].iter().map(|column| column[row % BLOCK]).collect();
        self.measured.push(Measured { row, entries, scale });
    }

    /// Tells `block` what was measured since it was last told.
    fn hear(&mut self, block: usize) {
        let rows = block * BLOCK..((block + 1) * BLOCK).min(self.variance.len());
        for number in self.columns[block].len()..self.measured.len() {
            let measured = &self.measured[number];
            let mut column = self.covariances(measured.row, rows.clone());
            for (earlier, own) in self.columns[block].iter().zip(&measured.entries) {
                column.iter_mut().zip(earlier).for_each(|(value, other)| *value -= own * other);
            }
            for (value, left) in column.iter_mut().zip(&mut self.variance[rows.clone()]) {
                *value *= measured.scale;
                *left = (*left - *value * *value).max(FLOOR);
            }
            self.columns[block].push(column);
        }
    }

    /// Of `row` with each of `others`.
    fn covariances(&self, row: usize, others: Range<usize>) -> Vec<f32> {
        let values = |row: usize| &self.values[row * self.width..(row + 1) * self.width];
        let (own, square) = (values(row), self.squares[row]);
        let kernel = |other: usize| {
            let product = dot(own, values(other));
            (-(self.squares[other] + square - 2.0 * product).max(0.0) / self.squared_width).exp()
        };
        others.map(kernel).collect()
    }
}

/// In lanes, so that it is the same whatever the machine.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (one, other) = (one.as_chunks::<LANES>(), other.as_chunks::<LANES>());
    for (a, b) in one.0.iter().zip(other.0) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    lanes.iter().sum::<f32>() + one.1.iter().zip(other.1).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{self, Purpose};

    fn random(rows: i64, width: i64) -> Tensor {
        let values = seed::normals(&mut seed::stream(3, Purpose::Sample), (rows * width) as usize);
        tensor::from_f32(&values, &[rows, width]).unwrap()
    }

    fn line(places: &[f32]) -> Tensor {
        tensor::from_f32(places, &[places.len() as i64, 1]).unwrap()
    }

    #[test]
    fn without_diversity_the_rule_alone_chooses() {
        let picked = spread(&random(60, 5), 0, 0.0, (10, 20)).unwrap();
        assert_eq!(picked, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn copies_of_the_best_are_asked_for_once() {
        // The rule's ten best are one experiment under ten names.
        let places: Vec<f32> = (0..40).map(|i| if i < 10 { 0.0 } else { i as f32 }).collect();
        let picked = spread(&line(&places), 0, 0.5, (5, 5)).unwrap();
        assert_eq!(picked.iter().filter(|&&rank| rank < 10).count(), 1, "{picked:?}");
        assert_eq!(picked[0], 0, "the best comes first");
    }

    #[test]
    fn what_is_pending_counts_as_chosen() {
        // A row at 0 is pending; the rule's best lies on it.
        let picked = spread(&line(&[0.0, 0.0, 5.0, 9.0]), 1, 0.5, (2, 2)).unwrap();
        assert_eq!(picked, [1, 2]);
        assert_eq!(spread(&line(&[0.0, 5.0, 9.0]), 0, 0.5, (2, 2)).unwrap()[0], 0);
    }

    #[test]
    fn neither_units_nor_directions_of_the_features_matter() {
        let rows = random(80, 6);
        let picked = spread(&rows, 0, 0.6, (16, 16)).unwrap();
        let turned = rows.f_matmul(&Tensor::f_linalg_qr(&random(6, 6), "reduced").unwrap().0).unwrap() * 7.0;
        assert_eq!(picked, spread(&turned, 0, 0.6, (16, 16)).unwrap());
        assert_ne!(picked, (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn the_variance_left_is_the_closed_form() {
        // Kernel exp(-d^2 / w): of two rows, what measuring the one leaves of the other is 1 + f - k^2 / (1 + f).
        let rows = line(&[0.0, 1.5]);
        let mut process = Process::new(&rows).unwrap();
        process.measure(0);
        let k = (-(1.5f32 * 1.5) / process.squared_width).exp();
        let expected = 1.0 + FLOOR - k * k / (1.0 + FLOOR);
        let left = process.variance(1);
        assert!((left - expected).abs() < 1e-6, "{left} {expected}");
    }

    #[test]
    fn who_need_not_hear_would_not_have_been_picked() {
        // All of them asked each time, whatever their rank.
        let (rows, count, strength) = (random(900, 6), 40, 0.4);
        let mut process = Process::new(&rows).unwrap();
        let mut left: Vec<usize> = (0..900).collect();
        let mut picked = Vec::new();
        for _ in 0..count {
            let mut gain = |rank: usize| {
                let quality = -(1.0 - strength) * (rank as f64 / 40.0).ln_1p();
                quality + strength * f64::from(process.variance(rank)).ln()
            };
            let gains: Vec<f64> = left.iter().map(|&rank| gain(rank)).collect();
            let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let rank = left.remove(gains.iter().position(|gain| *gain == most).unwrap());
            process.measure(rank);
            picked.push(rank);
        }
        assert_eq!(spread(&rows, 0, strength, (40, count)).unwrap(), picked);
        let last = picked.iter().max().unwrap();
        assert!(*last > BLOCK, "{last}: a test of one block would show nothing");
    }

    #[test]
    fn more_diversity_spreads_more() {
        let rows = random(200, 8);
        let volume = |strength: f64| -> f64 {
            let picked = spread(&rows, 0, strength, (25, 25)).unwrap();
            let mut process = Process::new(&rows).unwrap();
            picked.iter().fold(0.0, |sum, &row| {
                let left = f64::from(process.variance(row)).ln();
                process.measure(row);
                sum + left
            })
        };
        let volumes = [0.0, 0.3, 0.9].map(volume);
        assert!(volumes[0] < volumes[1] && volumes[1] < volumes[2], "{volumes:?}");
    }
}
