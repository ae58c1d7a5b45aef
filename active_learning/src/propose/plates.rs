//! A batch on whole plates. A plate has cells of one context, so a batch that is spread over contexts as the rule likes
//! it leaves a plate of each context partly empty.

use super::select::{Selected, Selection, Why};
use jobs::{Context, Experiment};
use std::collections::BTreeMap;

/// Moves experiments into the batch and out of it until it needs as few plates as its size does, where enough are to be
/// had. The contexts that the rule wants most get the plates: each as many as it fills by itself, then those that fill
/// most of one more (largest remainders). Within a context the order stays. Also says whether anything had to move.
pub(super) fn fit(selection: Selection, pool: &[Experiment], per_plate: usize) -> (Selection, bool) {
    let batch = selection.batch.min(selection.picks.len());
    let context = |it: &Selected| pool.get(it.pick.candidate).map(|experiment| &experiment.context);
    let mut wished: BTreeMap<&Context, usize> = BTreeMap::new();
    for of in selection.picks.iter().take(batch).filter_map(context) {
        *wished.entry(of).or_default() += 1;
    }
    let plates = share_out(&wished, batch.div_ceil(per_plate));
    if wished.iter().all(|(of, wished)| *wished <= per_plate * plates.get(of).copied().unwrap_or(0)) {
        return (selection, false);
    }
    let mut free: BTreeMap<&Context, usize> =
        plates.iter().map(|(of, plates)| (*of, plates * per_plate)).collect();
    let mut left = batch;
    let (mut taken, rest): (Vec<_>, Vec<_>) =
        selection.picks.iter().copied().enumerate().partition(|(_, it)| {
            let place = context(it).and_then(|of| free.get_mut(of)).filter(|free| left > 0 && **free > 0);
            let fits = place.is_some();
            if let Some(free) = place {
                (*free, left) = (*free - 1, left - 1);
            }
            fits
        });
    // Where those contexts have no more, other plates are begun.
    taken.extend(rest.iter().copied().take(left));
    let fills = |(place, it): (usize, Selected)| match it.why {
        Why::Rule | Why::Unlike { .. } if place >= batch => Selected { why: Why::FillsPlate, ..it },
        _ => it,
    };
    // What was measured before is no runner-up: it would take the place of something new.
    let waiting =
        rest.into_iter().skip(left).map(|(_, it)| it).filter(|it| !matches!(it.why, Why::Repeats(_)));
    let picks: Vec<Selected> = taken.into_iter().map(fills).chain(waiting).collect();
    (Selection { picks, ..selection }, true)
}

/// What plates the batch fills, and how many came in for that: of a batch as it is in the end.
pub(super) fn words(selection: &Selection, pool: &[Experiment], per_plate: usize) -> String {
    let batch = || selection.picks.iter().take(selection.batch);
    let mut wells: BTreeMap<&Context, usize> = BTreeMap::new();
    for experiment in batch().filter_map(|it| pool.get(it.pick.candidate)) {
        *wells.entry(&experiment.context).or_default() += 1;
    }
    let plates = wells.into_iter().map(|(of, wells)| (of, wells.div_ceil(per_plate))).collect();
    in_words(&plates, per_plate, batch().filter(|it| it.why == Why::FillsPlate).count())
}

/// `plates` over the contexts, by how many experiments of each are wished for.
fn share_out<'a>(wished: &BTreeMap<&'a Context, usize>, plates: usize) -> BTreeMap<&'a Context, usize> {
    let all: usize = wished.values().sum();
    if all == 0 {
        return BTreeMap::new();
    }
    // In units of 1 / all plates, so that whole numbers suffice.
    let whole = |count: usize| count * plates / all;
    let mut shares: BTreeMap<&Context, usize> =
        wished.iter().map(|(of, count)| (*of, whole(*count))).collect();
    let mut by_remainder: Vec<(&Context, usize)> =
        wished.iter().map(|(of, count)| (*of, count * plates % all)).collect();
    by_remainder.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let missing = plates - shares.values().sum::<usize>();
    for (of, _) in by_remainder.into_iter().take(missing) {
        *shares.entry(of).or_default() += 1;
    }
    shares
}

fn in_words(plates: &BTreeMap<&Context, usize>, per_plate: usize, moved: usize) -> String {
    let of = plates.iter().filter(|(_, plates)| **plates > 0);
    let list: Vec<String> = of.map(|(of, plates)| format!("{plates} of {}", of.0)).collect();
    format!(
        "A plate takes {per_plate} experiments of one context, and the batch {}: for that {moved} took the places of \
         others that the rule puts before them.",
        list.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquisition::Pick;
    use crate::propose::repeats::Doubt;
    use jobs::Perturbation;

    /// A pool whose experiments are in the contexts that the letters name, all picked in this order.
    fn chosen(contexts: &str, batch: usize) -> (Vec<Experiment>, Selection) {
        let pool: Vec<Experiment> = contexts
            .chars()
            .enumerate()
            .map(|(number, letter)| Experiment {
                perturbation: Perturbation::new([format!("G{number}")]).unwrap(),
                context: Context(letter.to_string()),
            })
            .collect();
        let picks = (0..pool.len())
            .map(|candidate| Selected { pick: Pick { candidate, score: 0.0 }, why: Why::Rule })
            .collect();
        let scores = vec![0.0; pool.len()];
        (pool, Selection { scores, picks, batch, ..Selection::default() })
    }

    /// Who is in the batch, by place in the pool, and who comes after it.
    fn fitted(contexts: &str, batch: usize, per_plate: usize) -> (Vec<usize>, Vec<usize>, String) {
        let (pool, selection) = chosen(contexts, batch);
        let (selection, moved) = fit(selection, &pool, per_plate);
        let words = if moved { words(&selection, &pool, per_plate) } else { String::new() };
        let mut batch: Vec<usize> = selection.picks.iter().map(|it| it.pick.candidate).collect();
        let rest = batch.split_off(selection.batch.min(batch.len()));
        (batch, rest, words)
    }

    #[test]
    fn a_batch_that_needs_no_more_plates_than_its_size_stays_as_it_is() {
        assert_eq!(fitted("aabbab", 4, 2), (vec![0, 1, 2, 3], vec![4, 5], String::new()));
        assert_eq!(fitted("aaab", 3, 4), (vec![0, 1, 2], vec![3], String::new()));
    }

    #[test]
    fn the_contexts_that_the_rule_wants_most_get_whole_plates() {
        let (batch, rest, words) = fitted("aabacbbb", 6, 3);
        assert_eq!(batch, [0, 1, 2, 3, 5, 6], "the one of c waits");
        assert_eq!(rest, [4, 7]);
        assert_eq!(
            words,
            "A plate takes 3 experiments of one context, and the batch 1 of a, 1 of b: for that 1 took the places of \
             others that the rule puts before them."
        );
    }

    #[test]
    fn whoever_came_in_for_a_plate_says_so() {
        let (pool, selection) = chosen("aabacbbb", 6);
        let (selection, _) = fit(selection, &pool, 3);
        let fills = |it: &&Selected| it.why == Why::FillsPlate;
        let filling: Vec<usize> = selection.picks.iter().filter(fills).map(|it| it.pick.candidate).collect();
        assert_eq!(filling, [6]);
    }

    #[test]
    fn a_repeat_that_has_no_place_on_a_plate_waits_for_nothing() {
        let (pool, mut selection) = chosen("aabacbbb", 6);
        selection.picks[4].why = Why::Repeats(Doubt::about(4));
        let (fitted, _) = fit(selection, &pool, 3);
        let places: Vec<usize> = fitted.picks.iter().map(|it| it.pick.candidate).collect();
        assert_eq!(
            places,
            [0, 1, 2, 3, 5, 6, 7],
            "the one of c is measured again in no plate, and is no runner-up"
        );

        let (pool, mut selection) = chosen("aabacbbb", 6);
        selection.picks[5].why = Why::Repeats(Doubt::about(5));
        let (fitted, _) = fit(selection, &pool, 3);
        let places: Vec<usize> = fitted.picks.iter().map(|it| it.pick.candidate).collect();
        assert_eq!(places[..fitted.batch], [0, 1, 2, 3, 5, 6], "where it has one it stays");
    }

    #[test]
    fn where_a_context_has_no_more_other_plates_are_begun_rather_than_places_left() {
        let (batch, rest, _) = fitted("aaabcb", 5, 4);
        assert_eq!(batch, [0, 1, 2, 3, 5]);
        assert_eq!(rest, [4]);
        let (batch, rest, _) = fitted("abc", 3, 3);
        assert_eq!((batch, rest), (vec![0, 1, 2], vec![]));
    }

    #[test]
    fn plates_go_by_largest_remainder_and_none_is_lost() {
        let contexts = [Context("a".into()), Context("b".into()), Context("c".into())];
        for wished in [[5, 4, 1], [1, 1, 1], [9, 0, 1], [33, 33, 30]] {
            let of: BTreeMap<&Context, usize> = contexts.iter().zip(wished).collect();
            for plates in 1..6 {
                let shares = share_out(&of, plates);
                assert_eq!(shares.values().sum::<usize>(), plates, "{wished:?}");
            }
        }
        let of: BTreeMap<&Context, usize> = contexts.iter().zip([50, 40, 6]).collect();
        let shares = share_out(&of, 3);
        assert_eq!(contexts.each_ref().map(|it| shares[it]), [2, 1, 0]);
    }
}
