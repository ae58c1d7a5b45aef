//! How the next batch is chosen. One file a rule; each says where it is from.
//!
//! A rule ranks candidates by a score (higher first) and may condition on what it picked before. Values
//! are in the readout's own units; which end of them is wanted is the [`Objective`]'s to say. The default,
//! on the evidence of replays, is probability of hit.

pub mod auto;
mod bald;
pub mod cost;
pub mod diversity;
mod expected_improvement;
pub mod feasible;
mod greedy;
mod hit_probability;
pub(crate) mod information_gain;
mod max_epistemic;
mod random;
pub mod replicate;
mod thompson;
mod top_two;
mod upper_confidence_bound;

use crate::Result;
use crate::seed::{self, Purpose};
use jobs::work::learn::{Acquisition, Objective, Prediction};
use rand::seq::SliceRandom;

/// What a rule may look at. Everything is of the length of the pool.
pub struct Candidates<'a> {
    pub predictions: &'a [Prediction],
    /// `[samples][pool]`: joint draws of the noise-free value; only for rules that ask for them.
    pub samples: &'a [Vec<f64>],
    /// What a hit call would teach, in nats; empty where the model holds one opinion only.
    pub hit_information: &'a [f64],
    /// Probability that all constraints hold; empty where there are none.
    pub feasibility: &'a [f64],
    /// `None`: a batch may cost anything.
    pub expense: Option<cost::Expense<'a>>,
    /// Positions in the pool that may be chosen.
    pub eligible: &'a [usize],
    pub objective: Objective,
    /// The value of an experiment that does nothing; two-sided utility is the distance from it.
    pub reference: f64,
    /// Utility of the best value measured; `None` when nothing is.
    pub best_utility: Option<f64>,
    /// Batch and runners-up, however many more are ranked.
    pub taken: usize,
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
        // The challenger of the last pick comes from a sample of its own.
        Acquisition::TopTwo => (count + 1).clamp(2, 512),
        _ => 0,
    }
}

/// Applies `rule`.
pub fn choose(rule: Acquisition, candidates: &Candidates, count: usize) -> Result<Choice> {
    let Some((likely, others)) = feasible::split(rule, candidates) else {
        return by_score(rule, candidates, count);
    };
    let mut choice = by_score(rule, &Candidates { eligible: &likely, ..*candidates }, count)?;
    if likely.len() < count.min(candidates.taken) {
        let score = |candidate: usize| choice.scores.get(candidate).copied().unwrap_or(f64::NEG_INFINITY);
        let more = others.into_iter().take(count - choice.picks.len());
        let more: Vec<Pick> = more.map(|candidate| Pick { candidate, score: score(candidate) }).collect();
        choice.picks.extend(more);
    }
    Ok(choice)
}

/// The same without a look at who may be infeasible, but for rules whose scores do.
fn by_score(rule: Acquisition, candidates: &Candidates, count: usize) -> Result<Choice> {
    let mut scores = match rule {
        Acquisition::Thompson => return Ok(thompson::choose(candidates, count)),
        Acquisition::TopTwo => return Ok(top_two::choose(candidates, count)),
        // Its shares are given by `auto::share_out`; alone, this is what it exploits by.
        Acquisition::Auto { .. } | Acquisition::HitProbability => hit_probability::scores(candidates),
        Acquisition::Greedy => greedy::scores(candidates),
        Acquisition::Ucb { beta } => upper_confidence_bound::scores(candidates, beta),
        Acquisition::ExpectedImprovement => expected_improvement::scores(candidates),
        Acquisition::InformationGain => information_gain::scores(candidates),
        Acquisition::Bald => bald::scores(candidates)?,
        Acquisition::MaxEpistemic => max_epistemic::scores(candidates),
        Acquisition::Random => random::scores(candidates),
    };
    feasible::weigh(rule, &mut scores, candidates.feasibility);
    let keys =
        candidates.expense.and_then(|expense| cost::keys(rule, &scores, candidates.eligible, &expense));
    Ok(candidates.best(scores, keys.as_deref(), count))
}

/// How good a value is: higher is better. Two-sided, the distance from `reference`.
pub(crate) fn utility(objective: Objective, reference: f64, value: f64) -> f64 {
    match objective {
        Objective::Maximise => value,
        Objective::Minimise => -value,
        Objective::TwoSided => (value - reference).abs(),
    }
}

impl Candidates<'_> {
    /// Probability that a candidate is a hit, and feasible where there are constraints.
    pub fn chance(&self, candidate: usize) -> f64 {
        let hit = self.predictions.get(candidate).map_or(0.0, |prediction| prediction.hit_probability);
        hit * self.feasibility(candidate)
    }

    /// Probability that all constraints hold; 1 where there are none.
    fn feasibility(&self, candidate: usize) -> f64 {
        self.feasibility.get(candidate).copied().unwrap_or(1.0)
    }

    /// Of these together; 0 where nothing costs anything.
    pub fn cost(&self, candidates: impl IntoIterator<Item = usize>) -> f64 {
        self.expense.map_or(0.0, |expense| candidates.into_iter().map(|it| expense.of(it)).sum())
    }

    fn utility(&self, value: f64) -> f64 {
        utility(self.objective, self.reference, value)
    }

    /// Place in `left` of the candidate with the highest utility in `sample`, which is of the whole pool.
    fn best_of(&self, sample: &[f64], left: &[usize]) -> usize {
        let utility =
            |candidate: usize| sample.get(candidate).map_or(f64::NEG_INFINITY, |&value| self.utility(value));
        let places = 0..left.len();
        places.max_by(|&a, &b| utility(left[a]).total_cmp(&utility(left[b]))).unwrap_or(0)
    }

    /// The eligible in random order: equal scores are not decided by the alphabet.
    fn shuffled(&self) -> Vec<usize> {
        let mut order = self.eligible.to_vec();
        order.shuffle(&mut seed::stream(self.seed, Purpose::Select));
        order
    }

    /// The `count` eligible with the highest scores, or `keys` where there are any.
    fn best(&self, scores: Vec<f64>, keys: Option<&[f64]>, count: usize) -> Choice {
        let of = |list: &[f64], candidate: usize| list.get(candidate).copied().unwrap_or(f64::NEG_INFINITY);
        let score = |candidate: usize| of(&scores, candidate);
        let key = |candidate: usize| of(keys.unwrap_or(&scores), candidate);
        let keyed = self.shuffled().into_iter().enumerate();
        // By key, then by place in the shuffled order: no two are equal, so the first `count` can be found before they are
        // put in order.
        let mut order: Vec<(f64, usize, usize)> =
            keyed.map(|(place, candidate)| (key(candidate), place, candidate)).collect();
        let first =
            |a: &(f64, usize, usize), b: &(f64, usize, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if (1..order.len()).contains(&count) {
            order.select_nth_unstable_by(count - 1, first);
        }
        order.truncate(count);
        order.sort_unstable_by(first);
        let picks = order.into_iter().map(|(_, _, candidate)| Pick { candidate, score: score(candidate) });
        Choice { picks: picks.collect(), scores }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl<'a> Candidates<'a> {
        /// Of these predictions and nothing else.
        pub fn of(predictions: &'a [Prediction], eligible: &'a [usize], objective: Objective) -> Self {
            Self {
                predictions,
                samples: &[],
                hit_information: &[],
                feasibility: &[],
                expense: None,
                eligible,
                objective,
                reference: 0.0,
                taken: usize::MAX,
                best_utility: None,
                seed: 1,
            }
        }
    }

    pub fn prediction(mean: f64, epistemic_sd: f64, hit_probability: f64) -> Prediction {
        Prediction { mean, epistemic_sd, aleatoric_sd: 1.0, hit_probability }
    }

    fn picked(rule: Acquisition, objective: Objective) -> Vec<usize> {
        let predictions = [prediction(3.0, 0.1, 0.2), prediction(-4.0, 0.1, 0.1), prediction(1.0, 2.0, 0.9)];
        let samples = vec![vec![0.0, 0.0, 9.0], vec![0.0, -9.0, 9.5]];
        let candidates = Candidates {
            samples: &samples,
            hit_information: &[0.1, 0.3, 0.2],
            best_utility: Some(3.5),
            ..Candidates::of(&predictions, &[0, 1, 2], objective)
        };
        choose(rule, &candidates, 2).unwrap().picks.iter().map(|pick| pick.candidate).collect()
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
        // A mean of 3 is five sd below the best of 3.5, one of 1 with an sd of 2 but 1.25.
        assert_eq!(picked(Acquisition::ExpectedImprovement, Maximise), [2, 0]);
        assert_eq!(picked(Acquisition::ExpectedImprovement, Minimise), [1, 2]);
        assert_eq!(picked(Acquisition::ExpectedImprovement, TwoSided), [1, 2]);
        assert_eq!(picked(Acquisition::Bald, Maximise), [1, 2]);
        assert_eq!(picked(Acquisition::InformationGain, Maximise)[0], 2);
        assert_eq!(picked(Acquisition::MaxEpistemic, Minimise)[0], 2);
    }

    #[test]
    fn a_rule_without_what_it_needs_says_so() {
        let predictions = [prediction(1.0, 1.0, 0.5)];
        let candidates = Candidates::of(&predictions, &[0], Objective::Maximise);
        let error = choose(Acquisition::Bald, &candidates, 1).err().map(|error| error.to_string());
        assert!(error.is_some_and(|words| words.contains("needs the family `ensemble`")));
    }

    #[test]
    fn what_is_not_eligible_is_never_picked() {
        let predictions = vec![prediction(1.0, 1.0, 0.9); 50];
        let samples = vec![vec![1.0; 50]; 4];
        let eligible: Vec<usize> = (0..50).step_by(5).collect();
        let candidates = Candidates {
            samples: &samples,
            hit_information: &[0.1; 50],
            seed: 3,
            ..Candidates::of(&predictions, &eligible, Objective::Maximise)
        };
        for rule in [
            Acquisition::HitProbability,
            Acquisition::Greedy,
            Acquisition::Ucb { beta: 1.0 },
            Acquisition::ExpectedImprovement,
            Acquisition::Thompson,
            Acquisition::TopTwo,
            Acquisition::InformationGain,
            Acquisition::Bald,
            Acquisition::MaxEpistemic,
            Acquisition::Random,
        ] {
            let choice = choose(rule, &candidates, 50).unwrap();
            let mut picks: Vec<usize> = choice.picks.iter().map(|pick| pick.candidate).collect();
            picks.sort();
            assert_eq!(picks, eligible, "{rule:?}");
        }
    }
}
