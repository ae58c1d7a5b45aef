//! Deck loads: which library plates stand on the deck together, and what one run transfers from them.
//!
//! A run is bounded by slots (library plates at a time) and by tips (transfers). The fewest loads is a bin
//! packing with divisible items, NP-hard; three greedy packings are made and the best is kept:
//! - whole plates, largest first, into the first load with room: every plate is moved once;
//! - plates in order of size, cut where the tips end: full use of tips;
//! - the largest with the smallest, cut where the tips end: full use of tips and slots.

use std::collections::{BTreeMap, VecDeque};

/// Bounds of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deck {
    pub slots: usize,
    pub tips: usize,
}

/// Library plates on the deck together, with how many transfers are drawn from each.
pub(super) type Load<'a> = BTreeMap<&'a str, usize>;

impl Deck {
    /// Packs `transfers` (by library plate). Needs at least one slot and one tip.
    pub fn pack<'a>(self, transfers: &BTreeMap<&'a str, usize>) -> Vec<Load<'a>> {
        let mut plates: Vec<(&'a str, usize)> =
            transfers.iter().map(|(p, n)| (*p, *n)).filter(|(_, n)| *n > 0).collect();
        plates.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        let packings =
            [self.pack_whole(&plates), self.pack_in_order(&plates), self.pack_large_with_small(&plates)];
        let cost = |loads: &Vec<Load>| (loads.len(), loads.iter().map(BTreeMap::len).sum::<usize>());
        packings.into_iter().min_by_key(cost).unwrap_or_default()
    }

    fn pack_whole<'a>(self, plates: &[(&'a str, usize)]) -> Vec<Load<'a>> {
        let mut loads: Vec<(Load, usize)> = Vec::new();
        for (plate, transfers) in plates {
            let mut rest = *transfers;
            while rest > self.tips.max(1) {
                loads.push((Load::from([(*plate, self.tips.max(1))]), self.tips.max(1)));
                rest -= self.tips.max(1);
            }
            // A load that holds another part of this plate is full, so it is never met here.
            let room =
                |(load, used): &&mut (Load, usize)| load.len() < self.slots && used + rest <= self.tips;
            match loads.iter_mut().find(room) {
                Some((load, used)) => {
                    load.insert(plate, rest);
                    *used += rest;
                }
                None => loads.push((Load::from([(*plate, rest)]), rest)),
            }
        }
        loads.into_iter().map(|(load, _)| load).collect()
    }

    fn pack_in_order<'a>(self, plates: &[(&'a str, usize)]) -> Vec<Load<'a>> {
        self.pack_cutting(plates, |_| true)
    }

    fn pack_large_with_small<'a>(self, plates: &[(&'a str, usize)]) -> Vec<Load<'a>> {
        self.pack_cutting(plates, |on_deck| on_deck == 0)
    }

    /// Fills load after load; `from_front` says, by the plates already in the load, from which end of the
    /// queue (largest first) the next is taken.
    fn pack_cutting<'a>(
        self,
        plates: &[(&'a str, usize)],
        from_front: impl Fn(usize) -> bool,
    ) -> Vec<Load<'a>> {
        let mut queue: VecDeque<(&'a str, usize)> = plates.iter().copied().collect();
        let mut loads = Vec::new();
        while !queue.is_empty() {
            let mut load = Load::new();
            let mut tips = self.tips.max(1);
            while load.len() < self.slots.max(1) && tips > 0 {
                let front = from_front(load.len());
                let next = if front { queue.pop_front() } else { queue.pop_back() };
                let Some((plate, transfers)) = next else { break };
                let now = transfers.min(tips);
                tips -= now;
                load.insert(plate, now);
                match transfers - now {
                    0 => {}
                    // What was cut off goes on with the next load.
                    rest if front => queue.push_front((plate, rest)),
                    rest => queue.push_back((plate, rest)),
                }
            }
            loads.push(load);
        }
        loads
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DECK: Deck = Deck { slots: 8, tips: 192 };

    fn pack(transfers: &[(String, usize)], deck: Deck) -> Vec<BTreeMap<String, usize>> {
        let transfers: BTreeMap<&str, usize> = transfers.iter().map(|(p, n)| (p.as_str(), *n)).collect();
        let owned = |load: Load| load.into_iter().map(|(p, n)| (p.to_owned(), n)).collect();
        deck.pack(&transfers).into_iter().map(owned).collect()
    }

    fn plates(counts: &[usize]) -> Vec<(String, usize)> {
        counts.iter().enumerate().map(|(i, n)| (format!("L{i:02}"), *n)).collect()
    }

    #[test]
    fn the_fewest_loads_are_found_where_they_are_known() {
        // Slots decide: 46 plates of a few transfers each.
        assert_eq!(pack(&plates(&[6; 46]), DECK).len(), 6);
        // Tips decide: 400 transfers from two plates.
        assert_eq!(pack(&plates(&[300, 100]), DECK).len(), 3);
        // Both: 192 x 2 transfers over 16 plates fit in two loads only when large go with small.
        assert_eq!(pack(&plates(&[150, 150, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6]), DECK).len(), 2);
    }

    proptest! {
        #[test]
        fn every_transfer_is_in_one_load_within_slots_and_tips(
            counts in prop::collection::vec(0usize..300, 0..40), slots in 1usize..10, tips in 1usize..200,
        ) {
            let wanted = plates(&counts);
            let deck = Deck { slots, tips };
            let loads = pack(&wanted, deck);
            for load in &loads {
                prop_assert!(!load.is_empty() && load.len() <= slots);
                prop_assert!(load.values().sum::<usize>() <= tips);
            }
            for (plate, count) in &wanted {
                prop_assert_eq!(loads.iter().filter_map(|l| l.get(plate)).sum::<usize>(), *count);
            }
            let total: usize = counts.iter().sum();
            let used = counts.iter().filter(|n| **n > 0).count();
            let bound = total.div_ceil(tips).max(used.div_ceil(slots));
            prop_assert!(loads.len() >= bound);
            // Filling to the last tip or the last slot is never worse than both bounds together.
            prop_assert!(loads.len() <= total.div_ceil(tips) + used.div_ceil(slots));
        }
    }
}
