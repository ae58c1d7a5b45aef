//! Which runner-up may take the place of an experiment that goes out of a batch. Pure.

use crate::campaigns::Spec;
use crate::planning::whole_plates;
use jobs::Experiment;
use jobs::work::learn::Prices;
use std::collections::BTreeSet;

/// Sums of prices are compared with this much to spare, in parts of the budget.
const ROUNDING: f64 = 1e-9;

/// What a batch still has room for.
#[derive(Clone, Debug)]
pub struct Room {
    prices: Option<Prices>,
    /// Of the experiments that are in it.
    cost: f64,
    whole_plates: bool,
    /// Asked for by other rounds of the campaign.
    taken: BTreeSet<Experiment>,
}

impl Room {
    /// Of a batch of `chosen`; `taken`: what other rounds ask for.
    pub fn of<'a>(
        spec: &Spec,
        chosen: impl Iterator<Item = &'a Experiment>,
        taken: impl IntoIterator<Item = Experiment>,
    ) -> Self {
        let prices = spec.prices();
        let cost = prices.as_ref().map_or(0.0, |prices| chosen.map(|it| prices.of(it)).sum());
        Self { prices, cost, whole_plates: whole_plates(spec).is_some(), taken: taken.into_iter().collect() }
    }

    /// Whether `candidate` may take the place of `out`, which has left: no other round asks for it, the batch costs no more
    /// than it may (or than it did), and where batches fill whole plates it stands on a plate of the same context.
    pub fn takes(&self, candidate: &Experiment, out: &Experiment) -> bool {
        let affordable = self.prices.as_ref().is_none_or(|prices| {
            let price = prices.of(candidate);
            price <= prices.of(out) || self.cost + price <= prices.budget * (1.0 + ROUNDING)
        });
        let same_plates = !self.whole_plates || candidate.context == out.context;
        affordable && same_plates && !self.taken.contains(candidate)
    }

    /// `experiment` is in it now.
    pub fn put(&mut self, experiment: &Experiment) {
        self.cost += self.price(experiment);
    }

    fn price(&self, experiment: &Experiment) -> f64 {
        self.prices.as_ref().map_or(0.0, |prices| prices.of(experiment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Context;
    use std::collections::BTreeMap;

    fn experiment(name: &str, context: &str) -> Experiment {
        Experiment { perturbation: name.parse().unwrap(), context: Context(context.into()) }
    }

    fn room(budget: Option<f64>, whole_plates: bool) -> Room {
        let prices = budget.map(|budget| Prices {
            budget,
            currency: "EUR".into(),
            per_experiment: 0.0,
            per_edit: 1.0,
            edits: BTreeMap::from([("DEAR".into(), 10.0), ("MIDDLE".into(), 3.0)]),
        });
        Room { prices, cost: 5.0, whole_plates, taken: BTreeSet::from([experiment("TAKEN", "D1")]) }
    }

    #[test]
    fn nobody_takes_a_place_that_the_batch_cannot_pay_for() {
        let out = experiment("CHEAP", "D1");
        let takes = |room: &Room, name: &str| room.takes(&experiment(name, "D1"), &out);
        let mut eight = room(Some(8.0), false);
        assert!(takes(&eight, "OTHER") && takes(&eight, "MIDDLE") && !takes(&eight, "DEAR"));
        assert!(takes(&room(None, false), "DEAR"), "where a batch may cost anything");
        eight.put(&experiment("MIDDLE", "D1"));
        assert!(!takes(&eight, "MIDDLE"));
        // People made it dearer than its budget: what costs no more than what went out may come in.
        assert!(takes(&eight, "OTHER"));
    }

    #[test]
    fn what_another_round_asks_for_and_what_needs_another_plate_stays_out() {
        let out = experiment("CHEAP", "D1");
        assert!(!room(None, false).takes(&experiment("TAKEN", "D1"), &out));
        assert!(room(None, false).takes(&experiment("OTHER", "D2"), &out));
        assert!(!room(None, true).takes(&experiment("OTHER", "D2"), &out));
        assert!(room(None, true).takes(&experiment("OTHER", "D1"), &out));
    }
}
