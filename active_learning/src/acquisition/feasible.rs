//! A choice under constraints (Gardner et al. 2014; Gelbart, Snoek & Adams 2014).
//!
//! A score that is a probability, or the logarithm of an expected gain, is weighed by the probability of feasibility:
//! probability of a feasible hit, expected feasible improvement. Other scores have no zero to be weighed from: their rules
//! choose among what is more likely feasible than not; where that is less than will be taken, the others follow it, the most
//! feasible first.

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

/// Whether `rule` has feasibility in its score, or there is none to have.
pub fn is_weighed(rule: Acquisition, candidates: &Candidates) -> bool {
    let weighs = matches!(
        rule,
        Acquisition::HitProbability | Acquisition::Auto { .. } | Acquisition::ExpectedImprovement
    );
    weighs || candidates.feasibility.is_empty()
}

/// Of the eligible: those that are likely feasible, and the others, the most feasible first. `None` where the score of
/// `rule` says it all.
pub(super) fn split(rule: Acquisition, candidates: &Candidates) -> Option<(Vec<usize>, Vec<usize>)> {
    if is_weighed(rule, candidates) {
        return None;
    }
    let feasibility = |candidate: usize| candidates.feasibility(candidate);
    let (likely, mut others): (Vec<usize>, Vec<usize>) =
        candidates.eligible.iter().copied().partition(|&candidate| feasibility(candidate) >= LIKELY);
    others.sort_by(|&a, &b| feasibility(b).total_cmp(&feasibility(a)));
    Some((likely, others))
}

/// Whether fewer are likely feasible than will be taken: then there is nobody to pass over.
pub fn is_short(rule: Acquisition, candidates: &Candidates) -> bool {
    let likely = |candidate: &&usize| candidates.feasibility(**candidate) >= LIKELY;
    !is_weighed(rule, candidates) && candidates.eligible.iter().filter(likely).count() < candidates.taken
}

/// Where a candidate stands before `rule` orders anything: 0 likely feasible, then the less the later.
pub fn rank(rule: Acquisition, candidates: &Candidates, candidate: usize) -> f64 {
    let feasibility = candidates.feasibility(candidate);
    if is_weighed(rule, candidates) || feasibility >= LIKELY { 0.0 } else { 1.0 - feasibility }
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
    fn what_is_ranked_beside_the_batch_lets_nobody_in_who_is_infeasible() {
        let predictions = [prediction(3.0, 0.1, 0.6), prediction(2.0, 0.1, 0.5), prediction(1.0, 2.0, 0.4)];
        let samples = vec![vec![3.0, 2.0, 1.0]; 4];
        let picked = |rule, feasibility: &[f64], taken| {
            let candidates = Candidates {
                samples: &samples,
                feasibility,
                taken,
                ..Candidates::of(&predictions, &[0, 1, 2], Objective::Maximise)
            };
            let picks = choose(rule, &candidates, 3).unwrap().picks;
            picks.iter().map(|pick| pick.candidate).collect::<Vec<_>>()
        };
        for rule in [
            Acquisition::Greedy,
            Acquisition::Ucb { beta: 0.1 },
            Acquisition::InformationGain,
            Acquisition::MaxEpistemic,
            Acquisition::Thompson,
            Acquisition::TopTwo,
        ] {
            let mut likely = picked(rule, &[0.1, 0.6, 0.9], 2);
            likely.sort_unstable();
            assert_eq!(likely, [1, 2], "{rule:?}");
            assert_eq!(picked(rule, &[0.1, 0.2, 0.9], 2), [2, 1, 0], "{rule:?}: likely ones first");
        }
    }

    #[test]
    fn rules_without_a_zero_choose_among_the_likely_feasible() {
        assert_eq!(picked(Acquisition::Greedy, &[0.4, 0.6, 0.9], 2), [1, 2]);
        assert_eq!(picked(Acquisition::Greedy, &[0.1, 0.2, 0.9], 2), [2, 1], "and then the most likely");
    }
}
