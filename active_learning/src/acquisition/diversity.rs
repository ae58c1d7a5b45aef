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
use tch::{Kind, Tensor};

/// The rule's best that are looked at, in batches: from the ninth batch on a candidate is not worth the spread.
const SHORTLIST: usize = 8;
/// What measuring a candidate leaves of its variance: noise, and what no feature tells. Of two equal candidates the
/// second has this much to teach.
const FLOOR: f32 = 0.01;
/// Rows whose distances give the kernel its width.
const SAMPLE: i64 = 256;
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
    (0..chosen).try_for_each(|row| process.condition(row))?;
    let mut left: Vec<usize> = (0..process.variance.len().saturating_sub(chosen)).collect();
    let mut picked = Vec::with_capacity(count.min(left.len()));
    let gain = |process: &Process, rank: usize| {
        let quality = -(rank as f64 / batch.max(1) as f64).ln_1p();
        (1.0 - strength) * quality + strength * f64::from(process.variance[chosen + rank]).ln()
    };
    while picked.len() < count && !left.is_empty() {
        // The first of equals: what the rule puts first.
        let (mut best, mut most) = (0, f64::NEG_INFINITY);
        for (place, &rank) in left.iter().enumerate() {
            let gain = gain(&process, rank);
            if gain > most {
                (best, most) = (place, gain);
            }
        }
        let rank = left.remove(best);
        picked.push(rank);
        if picked.len() < count {
            process.condition(chosen + rank)?;
        }
    }
    Ok(picked)
}

/// A Gaussian process over rows with a squared-exponential kernel of variance 1, as wide as rows are apart in the
/// median; grown one row measured at a time.
struct Process<'a> {
    rows: &'a Tensor,
    /// `[rows]`
    squares: Vec<f32>,
    squared_width: f32,
    /// `[rows]`: of what is still open, noise included.
    variance: Vec<f32>,
    /// `[measured][rows]`: the columns of the Cholesky factor.
    columns: Vec<Vec<f32>>,
}

impl<'a> Process<'a> {
    fn new(rows: &'a Tensor) -> Result<Self> {
        let squares = rows.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
        let count = rows.size2()?.0;
        let step = (count / SAMPLE).max(1);
        let some = rows.f_slice(0, 0, count, step)?;
        let apart = Tensor::f_cdist(&some, &some, 2.0, EXACT)?.f_square()?;
        let apart = apart.f_masked_select(&apart.f_gt(1e-6)?)?;
        let width = if apart.numel() == 0 { 1.0 } else { apart.f_median()?.double_value(&[]) };
        let squares = tensor::to_f32(&squares)?;
        let variance = vec![1.0 + FLOOR; squares.len()];
        Ok(Self { rows, squares, squared_width: width as f32, variance, columns: Vec::new() })
    }

    /// What is left once `row` is measured.
    fn condition(&mut self, row: usize) -> Result<()> {
        let mut column = self.covariances(row)?;
        for earlier in &self.columns {
            let own = earlier[row];
            column.iter_mut().zip(earlier).for_each(|(value, other)| *value -= own * other);
        }
        let scale = self.variance[row].max(FLOOR).sqrt().recip();
        for (value, left) in column.iter_mut().zip(&mut self.variance) {
            *value *= scale;
            *left = (*left - *value * *value).max(FLOOR);
        }
        self.columns.push(column);
        Ok(())
    }

    fn covariances(&self, row: usize) -> Result<Vec<f32>> {
        let products = tensor::to_f32(&self.rows.f_mv(&self.rows.f_select(0, row as i64)?)?)?;
        let own = self.squares[row];
        let kernel = |(product, square): (f32, &f32)| {
            (-(square + own - 2.0 * product).max(0.0) / self.squared_width).exp()
        };
        Ok(products.into_iter().zip(&self.squares).map(kernel).collect())
    }
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
        process.condition(0).unwrap();
        let k = (-(1.5f32 * 1.5) / process.squared_width).exp();
        let expected = 1.0 + FLOOR - k * k / (1.0 + FLOOR);
        assert!((process.variance[1] - expected).abs() < 1e-6, "{:?} {expected}", process.variance);
    }

    #[test]
    fn more_diversity_spreads_more() {
        let rows = random(200, 8);
        let volume = |strength: f64| -> f64 {
            let picked = spread(&rows, 0, strength, (25, 25)).unwrap();
            let mut process = Process::new(&rows).unwrap();
            picked.iter().fold(0.0, |sum, &row| {
                let left = f64::from(process.variance[row]).ln();
                process.condition(row).unwrap();
                sum + left
            })
        };
        let volumes = [0.0, 0.3, 0.9].map(volume);
        assert!(volumes[0] < volumes[1] && volumes[1] < volumes[2], "{volumes:?}");
    }
}
