//! The first batch when nothing is known but features: spread out, so that the second can learn.

use crate::acquisition::{Choice, Pick};
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use crate::sets::kernel::Geometry;
use crate::{Result, device, tensor};
use jobs::Experiment;
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::HashSet;
use tch::{Kind, Tensor};

/// Distances are measured with features cut here (in sd): rare annotations are not everything.
const LIMIT: f64 = 5.0;
/// Experiments whose features are added up at once.
const CHUNK: i64 = 32_768;

/// The first batch of sets of edits: half of it those whose edits are most alike, half spread out. Edits of
/// one complex or one pathway interact more often (Costanzo et al. 2016, Horlbeck et al. 2018); the spread half
/// is for where they do not.
pub(super) fn spread_sets(
    vocabulary: &Vocabulary,
    pool: &[Experiment],
    eligible: &[usize],
    count: usize,
    seed: u64,
) -> Result<Choice> {
    let encoded = Encoded::of(eligible.iter().filter_map(|&position| pool.get(position)), vocabulary, &[])?;
    let encoded = encoded.on(device::for_rows(encoded.count))?;
    let geometry = Geometry::new(vocabulary)?;
    let mut likeness = Vec::with_capacity(eligible.len());
    for (start, count) in pieces(encoded.count) {
        likeness.extend(geometry.mean_likeness(&encoded.narrow(start, count)?)?);
    }
    let mut ranked: Vec<(usize, f64)> = eligible.iter().copied().zip(likeness).collect();
    // Ties are not decided by the order of the pool, which may be that of a screen's scores.
    ranked.shuffle(&mut seed::stream(seed, Purpose::Ties));
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let picked = ranked.iter().take(count.div_ceil(2));
    let mut picks: Vec<Pick> = picked.map(|&(candidate, score)| Pick { candidate, score }).collect();
    let taken: HashSet<usize> = picks.iter().map(|pick| pick.candidate).collect();
    let rest: Vec<usize> = eligible.iter().copied().filter(|position| !taken.contains(position)).collect();
    let spread = spread(vocabulary, pool, &rest, count - picks.len(), seed)?;
    let mut scores = spread.scores;
    picks.iter().for_each(|pick| scores[pick.candidate] = pick.score);
    picks.extend(spread.picks);
    Ok(Choice { scores, picks })
}

/// D-squared sampling (Arthur & Vassilvitskii 2007, k-means++): each pick is drawn with a probability in
/// proportion to its squared distance from the nearest one already picked. Less drawn to outliers than
/// k-centre, which on replays finds fewer hits. The score is that distance.
pub(super) fn spread(
    vocabulary: &Vocabulary,
    pool: &[Experiment],
    eligible: &[usize],
    count: usize,
    seed: u64,
) -> Result<Choice> {
    let mut rng = seed::stream(seed, Purpose::Select);
    let mut scores = vec![0.0; pool.len()];
    let mut picks: Vec<Pick> = Vec::with_capacity(count);
    if eligible.is_empty() || count == 0 {
        return Ok(Choice { scores, picks });
    }
    let experiments = eligible.iter().filter_map(|&position| pool.get(position));
    // A product with all of them for each pick.
    let encoded = Encoded::of(experiments, vocabulary, &[])?.on(device::for_rows(eligible.len() as i64))?;
    let (x, norms) = features(&encoded, vocabulary)?;
    let mut nearest = vec![f32::INFINITY; eligible.len()];
    let mut taken = vec![false; eligible.len()];
    let mut next = rng.random_range(0..eligible.len());
    while picks.len() < count {
        let distance = if nearest[next].is_finite() { f64::from(nearest[next]).sqrt() } else { 0.0 };
        taken[next] = true;
        picks.push(Pick { candidate: eligible[next], score: distance });
        scores[eligible[next]] = distance;
        let to_new = squared_distances(&x, &norms, next as i64)?;
        for ((near, new), taken) in nearest.iter_mut().zip(to_new).zip(&taken) {
            *near = if *taken { 0.0 } else { near.min(new.max(0.0)) };
        }
        next = draw(&nearest, &taken, &mut rng);
    }
    Ok(Choice { scores, picks })
}

/// Features and masks `[N, width + blocks]`, cut at [`LIMIT`], and their squared lengths `[N]`. Of the whole pool there is
/// this one matrix: two million pairs fill gigabytes with it.
fn features(encoded: &Encoded, vocabulary: &Vocabulary) -> Result<(Tensor, Tensor)> {
    let width = vocabulary.width() + vocabulary.blocks.len() as i64;
    let options = (Kind::Float, encoded.device());
    let (x, norms) =
        (Tensor::f_empty([encoded.count, width], options)?, Tensor::f_empty([encoded.count], options)?);
    for (start, count) in pieces(encoded.count) {
        let summed = encoded.narrow(start, count)?.summed(vocabulary)?;
        let piece = Tensor::f_cat(&summed, 1)?.f_clamp(-LIMIT, LIMIT)?;
        let squares = piece.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
        x.f_narrow(0, start, count)?.f_copy_(&piece)?;
        norms.f_narrow(0, start, count)?.f_copy_(&squares)?;
    }
    Ok((x, norms))
}

/// Start and count of each.
fn pieces(count: i64) -> impl Iterator<Item = (i64, i64)> {
    (0..count).step_by(CHUNK as usize).map(move |start| (start, (count - start).min(CHUNK)))
}

fn squared_distances(x: &Tensor, norms: &Tensor, from: i64) -> Result<Vec<f32>> {
    let row = x.f_select(0, from)?;
    let own = norms.f_select(0, from)?;
    tensor::to_f32(&norms.f_sub(&x.f_mv(&row)?.f_mul_scalar(2.0)?)?.f_add(&own)?)
}

/// In proportion to `weights`; uniform over what is left when all are 0.
fn draw(weights: &[f32], taken: &[bool], rng: &mut impl Rng) -> usize {
    let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    if total <= 0.0 {
        let left: Vec<usize> = (0..taken.len()).filter(|&i| !taken[i]).collect();
        return if left.is_empty() { 0 } else { left[rng.random_range(0..left.len())] };
    }
    let mut rest = rng.random::<f64>() * total;
    for (position, &weight) in weights.iter().enumerate() {
        rest -= f64::from(weight);
        if rest < 0.0 && weight > 0.0 {
            return position;
        }
    }
    weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FeatureTable;
    use jobs::Context;

    #[test]
    fn ties_between_sets_are_not_decided_by_the_order_of_the_pool() {
        // All edits are alike, so all pairs are.
        let text = (0..40).fold(String::from("gene,a_0,a_1\n"), |text, edit| format!("{text}E{edit},1,2\n"));
        let vocabulary = Vocabulary::build(&FeatureTable::read(text.as_bytes()).unwrap(), None).unwrap();
        let pairs = (0..40).flat_map(|one| (one + 1..40).map(move |other| format!("E{one}+E{other}")));
        let pool: Vec<Experiment> = pairs
            .map(|key| Experiment { perturbation: key.parse().unwrap(), context: Context("k".into()) })
            .collect();
        let eligible: Vec<usize> = (0..pool.len()).collect();
        let of = |seed| {
            let choice = spread_sets(&vocabulary, &pool, &eligible, 40, seed).unwrap();
            choice.picks[..20].iter().map(|pick| pick.candidate).collect::<Vec<usize>>()
        };
        let first = of(1);
        // Of 780 the first 390 hold half of 20, give or take 2.2.
        let early = first.iter().filter(|candidate| **candidate < 390).count();
        assert!((4..=16).contains(&early), "{first:?}");
        assert!(first == of(1) && first != of(2));
    }
}
