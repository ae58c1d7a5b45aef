//! How the next batch is chosen. One file a rule; each says where it is from.
//!
//! A rule ranks candidates by a score (higher first) and may condition on what it picked before. Values
//! are in the readout's own units; which end of them is wanted is the [`Objective`]'s to say. The default,
//! on the evidence of replays, is probability of hit.

mod greedy;
mod hit_probability;
mod random;
mod thompson;
mod upper_confidence_bound;

use crate::seed::{self, Purpose};
use jobs::work::learn::{Acquisition, Objective, Prediction};
use rand::seq::SliceRandom;

/// What a rule may look at. Everything is of the length of the pool.
pub struct Candidates<'a> {
    pub predictions: &'a [Prediction],
    /// `[samples][pool]`: joint draws of the noise-free value; only for rules that ask for them.
    pub samples: &'a [Vec<f64>],
    /// Positions in the pool that may be chosen.
    pub eligible: &'a [usize],
    pub objective: Objective,
    /// The value of an experiment that does nothing; two-sided utility is the distance from it.
    pub reference: f64,
    pub seed: u64,
}

/// A chosen candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// Position in the pool.
    pub candidate: usize,
    pub score: f64,
}

/// Scores of the whole pool, and the first `count` picks, best first.
pub struct Choice {
    pub scores: Vec<f64>,
    pub picks: Vec<Pick>,
}

/// Draws that `rule` needs for `count` picks.
pub fn samples_needed(rule: Acquisition, count: usize) -> usize {
    match rule {
        Acquisition::Thompson => count.clamp(1, 512),
        _ => 0,
    }
}

/// Applies `rule`.
pub fn choose(rule: Acquisition, candidates: &Candidates, count: usize) -> Choice {
    match rule {
        Acquisition::HitProbability => candidates.best(hit_probability::scores(candidates), count),
        Acquisition::Greedy => candidates.best(greedy::scores(candidates), count),
        Acquisition::Ucb { beta } => candidates.best(upper_confidence_bound::scores(candidates, beta), count),
        Acquisition::Thompson => thompson::choose(candidates, count),
        Acquisition::Random => candidates.best(random::scores(candidates), count),
    }
}

impl Candidates<'_> {
    /// How good a value is: higher is better.
    fn utility(&self, value: f64) -> f64 {
        match self.objective {
            Objective::Maximise => value,
            Objective::Minimise => -value,
            Objective::TwoSided => (value - self.reference).abs(),
        }
    }

    /// The eligible in random order: equal scores are not decided by the alphabet.
    fn shuffled(&self) -> Vec<usize> {
        let mut order = self.eligible.to_vec();
        order.shuffle(&mut seed::stream(self.seed, Purpose::Select));
        order
    }

    /// The `count` eligible with the highest scores.
    fn best(&self, scores: Vec<f64>, count: usize) -> Choice {
        let score = |candidate: usize| scores.get(candidate).copied().unwrap_or(f64::NEG_INFINITY);
        let mut order = self.shuffled();
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        order.truncate(count);
        let picks = order.into_iter().map(|candidate| Pick { candidate, score: score(candidate) });
        Choice { picks: picks.collect(), scores }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(mean: f64, epistemic_sd: f64, hit_probability: f64) -> Prediction {
        Prediction { mean, epistemic_sd, aleatoric_sd: 1.0, hit_probability }
    }

    fn picked(rule: Acquisition, objective: Objective) -> Vec<usize> {
        let predictions = [prediction(3.0, 0.1, 0.2), prediction(-4.0, 0.1, 0.1), prediction(1.0, 2.0, 0.9)];
        let samples = vec![vec![0.0, 0.0, 9.0], vec![0.0, -9.0, 9.5]];
        let candidates = Candidates {
            predictions: &predictions,
            samples: &samples,
            eligible: &[0, 1, 2],
            objective,
            reference: 0.0,
            seed: 1,
        };
        choose(rule, &candidates, 2).picks.iter().map(|pick| pick.candidate).collect()
    }

    #[test]
    fn each_rule_ranks_by_its_own_score() {
        use Objective::{Maximise, Minimise, TwoSided};
        assert_eq!(picked(Acquisition::HitProbability, Maximise), [2, 0]);
        assert_eq!(picked(Acquisition::Greedy, Maximise), [0, 2]);
        assert_eq!(picked(Acquisition::Greedy, Minimise), [1, 2]);
        assert_eq!(picked(Acquisition::Greedy, TwoSided), [1, 0]);
        assert_eq!(picked(Acquisition::Ucb { beta: 2.0 }, Maximise), [2, 0]);
        assert_eq!(picked(Acquisition::Thompson, TwoSided), [2, 1]);
    }

    #[test]
    fn what_is_not_eligible_is_never_picked() {
        let predictions = vec![prediction(1.0, 1.0, 0.9); 50];
        let samples = vec![vec![1.0; 50]; 4];
        let eligible: Vec<usize> = (0..50).step_by(5).collect();
        let candidates = Candidates {
            predictions: &predictions,
            samples: &samples,
            eligible: &eligible,
            objective: Objective::Maximise,
            reference: 0.0,
            seed: 3,
        };
        for rule in [
            Acquisition::HitProbability,
            Acquisition::Greedy,
            Acquisition::Ucb { beta: 1.0 },
            Acquisition::Thompson,
            Acquisition::Random,
        ] {
            let mut picks: Vec<usize> =
                choose(rule, &candidates, 50).picks.iter().map(|pick| pick.candidate).collect();
            picks.sort();
            assert_eq!(picks, eligible, "{rule:?}");
        }
    }
}
