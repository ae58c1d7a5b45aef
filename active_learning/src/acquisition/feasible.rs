//! A choice under constraints (Gardner et al. 2014; Gelbart, Snoek & Adams 2014).
//!
//! A score that is a probability, or the logarithm of an expected gain, is weighed by the probability of feasibility:
//! probability of a feasible hit, expected feasible improvement. Other scores have no zero to be weighed from: their rules
//! choose among what is more likely feasible than not, and where that is too little, among the most likely feasible.

use super::Candidates;
use jobs::work::learn::Acquisition;

/// Below this an experiment is more likely infeasible than not.
const LIKELY: f64 = 0.5;

/// `scores` of the pool, weighed; `feasibility`: of the pool.
pub(super) fn weigh(rule: Acquisition, scores: &mut [f64], feasibility: &[f64]) {
    let each = scores.iter_mut().zip(feasibility);
    match rule {
        Acquisition::HitProbability | Acquisition::Auto { .. } => each.for_each(|(score, f)| *score *= f),
        Acquisition::ExpectedImprovement => each.for_each(|(score, f)| *score += f.max(1e-12).ln()),
        _ => {}
    }
}

/// Whom `rule` may choose `count` from.
pub(super) fn admitted(rule: Acquisition, candidates: &Candidates, count: usize) -> Vec<usize> {
    let weighs = matches!(
        rule,
        Acquisition::HitProbability | Acquisition::Auto { .. } | Acquisition::ExpectedImprovement
    );
    if weighs || candidates.feasibility.is_empty() {
        return candidates.eligible.to_vec();
    }
    let chance = |candidate: usize| candidates.feasibility.get(candidate).copied().unwrap_or(1.0);
    let mut order = candidates.eligible.to_vec();
    let likely = order.iter().filter(|candidate| chance(**candidate) >= LIKELY).count();
    if likely >= count {
        order.retain(|candidate| chance(*candidate) >= LIKELY);
    } else {
        order.sort_by(|&a, &b| chance(b).total_cmp(&chance(a)));
        order.truncate(count);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::{choose, tests::prediction};
    use super::*;
    use jobs::work::learn::Objective;

    fn picked(rule: Acquisition, feasibility: &[f64], count: usize) -> Vec<usize> {
        let predictions = [prediction(3.0, 0.1, 0.6), prediction(2.0, 0.1, 0.5), prediction(1.0, 2.0, 0.4)];
        let candidates = Candidates {
            feasibility,
            best_utility: Some(1.5),
            ..Candidates::of(&predictions, &[0, 1, 2], Objective::Maximise)
        };
        choose(rule, &candidates, count).unwrap().picks.iter().map(|pick| pick.candidate).collect()
    }

    #[test]
    fn a_likely_hit_that_is_hardly_feasible_comes_last() {
        // 0.6 x 0.1 < 0.4 x 0.9 < 0.5 x 0.8.
        assert_eq!(picked(Acquisition::HitProbability, &[0.1, 0.8, 0.9], 3), [1, 2, 0]);
        assert_eq!(picked(Acquisition::HitProbability, &[], 3), [0, 1, 2]);
        assert_eq!(picked(Acquisition::ExpectedImprovement, &[1e-9, 1.0, 1.0], 1), [2]);
    }

    #[test]
    fn rules_without_a_zero_choose_among_the_likely_feasible() {
        assert_eq!(picked(Acquisition::Greedy, &[0.4, 0.6, 0.9], 2), [1, 2]);
        assert_eq!(picked(Acquisition::Greedy, &[0.1, 0.2, 0.9], 2), [1, 2], "and then the most likely");
    }
}
