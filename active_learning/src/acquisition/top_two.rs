use super::{Candidates, Choice, Pick};
use crate::seed::{self, Purpose};
use rand::Rng;

/// How often the best of a sample is taken, and not its challenger (Russo's beta; at 1/2 the rate of learning is
/// within a factor of two of the best possible).
const LEADER_SHARE: f64 = 0.5;

/// Top-two Thompson sampling (Russo 2016, "Simple Bayesian algorithms for best arm identification", section 3.3).
/// Each pick: the best not yet picked of one joint sample; in half of the cases the best of another sample in its
/// place, the challenger, where that is somebody else. Thompson sampling alone goes on asking for what it takes for
/// the best; the challenger is asked for to find out whether it is.
///
/// Where we depart: samples are few (512 at most), so the challenger comes from the next samples in turn and not from
/// resampling until one disagrees; without replacement within a batch, as in batch Thompson sampling. The score of a
/// pick is its utility in its own sample; of the rest of the pool, in the first.
pub(super) fn choose(candidates: &Candidates, count: usize) -> Choice {
    let samples = candidates.samples;
    let Some(first) = samples.first() else {
        return candidates.best(super::greedy::scores(candidates), None, count);
    };
    let mut scores: Vec<f64> = first.iter().map(|&value| candidates.utility(value)).collect();
    let mut left = candidates.shuffled();
    let mut rng = seed::stream(candidates.seed, Purpose::TopTwo);
    let mut picks = Vec::with_capacity(count.min(left.len()));
    for turn in 0..count.min(left.len()) {
        let best_of = |sample: usize| candidates.best_of(&samples[(turn + sample) % samples.len()], &left);
        let leader = best_of(0);
        let challenged = rng.random::<f64>() >= LEADER_SHARE;
        let challenger =
            || (1..samples.len()).map(|sample| (sample, best_of(sample))).find(|it| it.1 != leader);
        let (sample, place) = if challenged { challenger().unwrap_or((0, leader)) } else { (0, leader) };
        let candidate = left.swap_remove(place);
        let score = candidates.utility(samples[(turn + sample) % samples.len()][candidate]);
        scores[candidate] = score;
        picks.push(Pick { candidate, score });
    }
    Choice { scores, picks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::work::learn::{Objective, Prediction};

    #[test]
    fn about_half_of_the_batches_begin_with_the_challenger() {
        let prediction = Prediction { mean: 0.0, epistemic_sd: 1.0, aleatoric_sd: 1.0, hit_probability: 0.1 };
        // The first sample's best is 0, all others' is 1.
        let samples = [vec![2.0, 1.0, 0.0], vec![1.0, 2.0, 0.0], vec![1.0, 2.0, 0.0]];
        let predictions = [prediction; 3];
        let first = |seed| {
            let candidates = Candidates {
                samples: &samples,
                seed,
                ..Candidates::of(&predictions, &[0, 1, 2], Objective::Maximise)
            };
            choose(&candidates, 1).picks[0]
        };
        let leaders = (0..400).filter(|&seed| first(seed) == Pick { candidate: 0, score: 2.0 }).count();
        let challengers = (0..400).filter(|&seed| first(seed) == Pick { candidate: 1, score: 2.0 }).count();
        assert_eq!(leaders + challengers, 400);
        // A fair coin 400 times: sd 10.
        assert!((150..250).contains(&leaders), "{leaders}");
    }
}
