use super::{Candidates, Choice, Pick};

/// One joint posterior sample per pick, the best not yet picked of each (Thompson 1933; in batches,
/// Kandasamy et al. 2018). Samples are drawn in weight or member space, of sets by pathwise conditioning: a joint
/// Gaussian over 10^5 candidates would need an 80 GB covariance.
///
/// The score of a pick is its utility in its own sample; of the rest of the pool, in the first.
pub(super) fn choose(candidates: &Candidates, count: usize) -> Choice {
    let Some(first) = candidates.samples.first() else {
        return candidates.best(super::greedy::scores(candidates), None, count);
    };
    let mut scores: Vec<f64> = first.iter().map(|&value| candidates.utility(value)).collect();
    let mut left = candidates.shuffled();
    let mut picks = Vec::with_capacity(count.min(left.len()));
    for sample in candidates.samples.iter().cycle().take(count.min(left.len())) {
        let candidate = left.swap_remove(candidates.best_of(sample, &left));
        let score = candidates.utility(sample[candidate]);
        scores[candidate] = score;
        picks.push(Pick { candidate, score });
    }
    Choice { scores, picks }
}
