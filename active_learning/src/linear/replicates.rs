//! What a row counts that stands for several replicates.
//!
//! A row of n replicates has the noise `misfit + between / n`: `between` is the variance between replicates of one
//! experiment, misfit what a model of the features does not foretell however often a well is repeated. The sum of both is
//! what a fit finds as noise; weights are relative to it, so that the usual row counts one.

use crate::metrics;

/// The misfit is at least this share of all noise: no model is exact.
const LEAST_MISFIT: f64 = 0.05;

/// Replicates behind some rows.
#[derive(Clone, Debug, Default)]
pub struct Replicates {
    /// `[N]`, 1 or more.
    pub count: Vec<f64>,
    /// `[N]`: variance between replicates (the squared standard error times the count), where it is known; in the unit of
    /// the values, squared.
    pub between: Vec<Option<f64>>,
}

impl Replicates {
    pub fn push(&mut self, count: f64, between: Option<f64>) {
        self.count.push(count.max(1.0));
        self.between.push(between);
    }

    pub fn of(&self, rows: &[usize]) -> Self {
        Self {
            count: rows.iter().map(|&row| self.count[row]).collect(),
            between: rows.iter().map(|&row| self.between[row]).collect(),
        }
    }

    /// Weights of the rows, given the `noise` (variance) of a fit in which all count alike; `unit`: the values' unit in
    /// that of `noise`, an sd. `None` where all rows have as many replicates, or nobody knows by what they differ.
    pub fn weights(&self, noise: f64, unit: f64) -> Option<Vec<f64>> {
        let first = self.count.first()?;
        if self.count.iter().all(|count| count == first) {
            return None;
        }
        let between = metrics::mean(self.between.iter().copied().flatten())? / (unit * unit);
        let share = metrics::mean(self.count.iter().map(|count| count.recip()))?;
        let misfit = (noise - between * share).max(LEAST_MISFIT * noise);
        Some(self.count.iter().map(|count| noise / (misfit + between / count)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_inverse_of_misfit_and_what_replicates_leave() {
        // between 0.6, counts 1, 1, 3, 3: mean 1 / n is 2 / 3; noise 1 leaves a misfit of 0.6.
        let mut rows = Replicates::default();
        for count in [1.0, 1.0, 3.0, 3.0] {
            rows.push(count, Some(0.6));
        }
        let weights = rows.weights(1.0, 1.0).unwrap();
        let expected = [1.0 / 1.2, 1.0 / 1.2, 1.0 / 0.8, 1.0 / 0.8];
        assert!(weights.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-12), "{weights:?}");
    }

    #[test]
    fn rows_that_are_alike_or_unknown_all_count_one() {
        let alike = Replicates { count: vec![2.0; 3], between: vec![Some(0.1); 3] };
        let unknown = Replicates { count: vec![1.0, 2.0], between: vec![None; 2] };
        assert!(alike.weights(1.0, 1.0).is_none() && unknown.weights(1.0, 1.0).is_none());
    }
}
