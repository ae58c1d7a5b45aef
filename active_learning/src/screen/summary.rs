//! A space in a few numbers, added up while it goes by.

use jobs::work::learn::Prediction;
use jobs::work::screen::{Quantile, SpaceSummary};

/// Bins of the hit probability from which quantiles are read.
const FINE: usize = 10_000;
/// Bins of the histogram that people see.
const COARSE: usize = 20;
const SHARES: [f64; 7] = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];

pub struct Tally {
    count: u64,
    with_unknown_edits: u64,
    /// Experiments by hit probability.
    bins: Vec<u64>,
    expected_hits: f64,
    /// Running mean and sum of squared deviations of the predicted means (Welford 1962).
    mean: f64,
    squares: f64,
    lowest: f64,
    highest: f64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            count: 0,
            with_unknown_edits: 0,
            bins: vec![0; FINE],
            expected_hits: 0.0,
            mean: 0.0,
            squares: 0.0,
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
        }
    }
}

impl Tally {
    pub fn add(&mut self, said: &Prediction, is_known: bool) {
        self.count += 1;
        self.with_unknown_edits += u64::from(!is_known);
        self.expected_hits += said.hit_probability;
        let bin = ((said.hit_probability * FINE as f64) as usize).min(FINE - 1);
        self.bins[bin] += 1;
        let off = said.mean - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (said.mean - self.mean);
        self.lowest = self.lowest.min(said.mean);
        self.highest = self.highest.max(said.mean);
    }

    pub fn experiments(&self) -> u64 {
        self.count
    }

    pub fn into_summary(self, kept: u32) -> SpaceSummary {
        let count = self.count.max(1) as f64;
        let at = |value: f64| if self.count == 0 { 0.0 } else { value };
        SpaceSummary {
            experiments: self.count,
            kept,
            with_unknown_edits: self.with_unknown_edits,
            expected_hits: self.expected_hits,
            mean_hit_probability: self.expected_hits / count,
            hit_probability_quantiles: SHARES.map(|share| self.quantile(share)).to_vec(),
            hit_probability_histogram: self
                .bins
                .chunks(FINE / COARSE)
                .map(|bins| bins.iter().sum())
                .collect(),
            mean: self.mean,
            mean_sd: (self.squares / (count - 1.0).max(1.0)).sqrt(),
            lowest_mean: at(self.lowest),
            highest_mean: at(self.highest),
        }
    }

    /// The upper edge of the first bin by which `share` of all are reached.
    fn quantile(&self, share: f64) -> Quantile {
        let wanted = (share * self.count as f64).ceil() as u64;
        let mut reached = 0;
        let bin = self.bins.iter().position(|count| {
            reached += count;
            reached >= wanted
        });
        let value = if self.count == 0 { 0.0 } else { (bin.unwrap_or(FINE - 1) + 1) as f64 / FINE as f64 };
        Quantile { share, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_that_of_all_values_at_once() {
        let said = |i: u32| Prediction {
            mean: f64::from(i % 10),
            epistemic_sd: 1.0,
            aleatoric_sd: 1.0,
            hit_probability: f64::from(i) / 1000.0,
        };
        let mut tally = Tally::default();
        (0..1000).for_each(|i| tally.add(&said(i), i % 4 != 0));
        let summary = tally.into_summary(3);
        assert_eq!((summary.experiments, summary.kept, summary.with_unknown_edits), (1000, 3, 250));
        assert!((summary.expected_hits - 499.5).abs() < 1e-9);
        assert!((summary.mean - 4.5).abs() < 1e-9);
        // Sample variance of ten digits, a hundred of each.
        assert!((summary.mean_sd - (8250.0f64 / 999.0).sqrt()).abs() < 1e-9);
        assert_eq!((summary.lowest_mean, summary.highest_mean), (0.0, 9.0));
        assert_eq!(summary.hit_probability_histogram, vec![50; 20]);
        for Quantile { share, value } in summary.hit_probability_quantiles {
            // The value at that rank is (1000 share - 1) / 1000.
            assert!((value - (share - 0.001)).abs() <= 1.5e-4, "{share}: {value}");
        }
    }

    #[test]
    fn nothing_has_a_summary_without_numbers_that_are_none() {
        let text = serde_json::to_string(&Tally::default().into_summary(0)).unwrap();
        assert!(!text.contains("null"), "{text}");
    }
}
