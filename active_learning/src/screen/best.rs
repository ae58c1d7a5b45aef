//! The best so far, in a heap that never holds more than it keeps.

use jobs::Experiment;
use jobs::work::learn::Prediction;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// One of the best.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    pub score: f64,
    /// Place in the space, from 0.
    pub place: u64,
    pub experiment: Experiment,
    pub prediction: Prediction,
}

/// Greater is better: a higher score, or the same earlier in the space.
struct Entry(Ranked);

impl Entry {
    fn key(&self) -> (f64, Reverse<u64>) {
        (self.0.score, Reverse(self.0.place))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((score, place), (other_score, other_place)) = (self.key(), other.key());
        score.total_cmp(&other_score).then(place.cmp(&other_place))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

/// Of all that is offered, in the order of the space, the `keep` best.
pub struct Best {
    keep: usize,
    offered: u64,
    /// The worst of the kept is the first to go.
    kept: BinaryHeap<Reverse<Entry>>,
}

impl Best {
    pub fn of(keep: usize) -> Self {
        Self { keep, offered: 0, kept: BinaryHeap::with_capacity(keep + 1) }
    }

    pub fn offer(&mut self, score: f64, experiment: Experiment, prediction: Prediction) {
        let place = self.offered;
        self.offered += 1;
        // What is as good as the worst came later, so it does not take its place.
        let is_full = self.kept.len() >= self.keep;
        let is_beaten = |worst: &Reverse<Entry>| score.total_cmp(&worst.0.0.score) != Ordering::Greater;
        if is_full && self.kept.peek().is_none_or(is_beaten) {
            return;
        }
        self.kept.push(Reverse(Entry(Ranked { score, place, experiment, prediction })));
        if self.kept.len() > self.keep {
            self.kept.pop();
        }
    }

    /// Best first.
    pub fn into_ranked(self) -> Vec<Ranked> {
        self.kept.into_sorted_vec().into_iter().map(|Reverse(Entry(ranked))| ranked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Context;

    fn places(scores: &[f64], keep: usize) -> Vec<u64> {
        let mut best = Best::of(keep);
        for score in scores {
            let experiment =
                Experiment { perturbation: "A".parse().unwrap(), context: Context("c".to_owned()) };
            let prediction =
                Prediction { mean: 0.0, epistemic_sd: 0.0, aleatoric_sd: 0.0, hit_probability: 0.0 };
            best.offer(*score, experiment, prediction);
        }
        best.into_ranked().into_iter().map(|ranked| ranked.place).collect()
    }

    #[test]
    fn the_best_are_those_that_sorting_everything_puts_first() {
        // Many ties, and the best neither first nor last.
        let scores: Vec<f64> = (0..1000u32).map(|i| f64::from((i * 7919) % 97)).collect();
        let mut order: Vec<u64> = (0..1000).collect();
        order.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
        for keep in [1, 10, 97, 1000, 2000] {
            let expected: Vec<u64> = order.iter().take(keep).copied().collect();
            assert_eq!(places(&scores, keep), expected, "{keep}");
        }
    }
}
