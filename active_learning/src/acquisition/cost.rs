//! A batch within a budget.
//!
//! What a batch is worth is the sum of its experiments' scores; at most so many experiments and so much money: a knapsack
//! with two sides. Experiments are ranked by `score - rate x cost`, with the lowest rate at which those of the first places
//! that are worth their cost fit the budget (Lagrangian relaxation: Everett 1963; Fisher 1981): at rate 0 the budget is
//! ample and changes nothing, and where money runs out before places do, the order is that of score by cost (Dantzig 1957;
//! as expected improvement per second, Snoek, Larochelle & Adams 2012, 3.2). Then they are taken in that order, and what
//! does not fit what is left is passed over.
//!
//! Scores that are a probability, a variance or nats have a zero, and the logarithm of an improvement has one once it is
//! raised. Other scores have none to be exchanged for money: their rules keep their order, and what does not fit is passed
//! over.

use jobs::work::learn::Acquisition;

/// Halvings of the interval that the rate is sought in.
const STEPS: u32 = 60;
/// Of the budget, what rounding may go over it.
const SLACK: f64 = 1e-9;

/// What experiments cost and a batch may.
#[derive(Clone, Copy)]
pub struct Expense<'a> {
    /// Of the pool.
    pub each: &'a [f64],
    pub budget: f64,
    /// Experiments of a batch.
    pub batch: usize,
}

impl Expense<'_> {
    pub fn of(&self, candidate: usize) -> f64 {
        self.each.get(candidate).copied().unwrap_or(0.0)
    }
}

/// What to rank by in place of `scores`, of the whole pool; `None` where the rule's own order stays.
pub(super) fn keys(
    rule: Acquisition,
    scores: &[f64],
    eligible: &[usize],
    expense: &Expense,
) -> Option<Vec<f64>> {
    let worth = worth(rule, scores, eligible)?;
    let key = |rate: f64, candidate: usize| {
        worth.get(candidate).copied().unwrap_or(0.0) - rate * expense.of(candidate)
    };
    let fits = |rate: f64| {
        let mut keyed: Vec<(f64, f64)> =
            eligible.iter().map(|&candidate| (key(rate, candidate), expense.of(candidate))).collect();
        if keyed.len() > expense.batch {
            keyed.select_nth_unstable_by(expense.batch, |a, b| b.0.total_cmp(&a.0));
            keyed.truncate(expense.batch);
        }
        let cost: f64 = keyed.iter().filter(|(key, _)| *key > 0.0).map(|(_, cost)| cost).sum();
        cost <= expense.budget * (1.0 + SLACK)
    };
    let rate = if fits(0.0) { 0.0 } else { lowest(fits, highest_ratio(&worth, eligible, expense)) };
    Some((0..scores.len()).map(|candidate| key(rate, candidate)).collect())
}

/// Scores on a scale whose 0 is worth nothing.
fn worth(rule: Acquisition, scores: &[f64], eligible: &[usize]) -> Option<Vec<f64>> {
    match rule {
        Acquisition::HitProbability
        | Acquisition::Auto { .. }
        | Acquisition::InformationGain
        | Acquisition::Bald
        | Acquisition::MaxEpistemic => Some(scores.to_vec()),
        Acquisition::ExpectedImprovement => {
            let of = eligible.iter().filter_map(|&candidate| scores.get(candidate));
            let most = of.copied().fold(f64::NEG_INFINITY, f64::max);
            Some(scores.iter().map(|score| (score - most).exp()).collect())
        }
        Acquisition::Greedy
        | Acquisition::Ucb { .. }
        | Acquisition::Thompson
        | Acquisition::TopTwo
        | Acquisition::Random => None,
    }
}

/// From here on nothing that costs anything is worth it.
fn highest_ratio(worth: &[f64], eligible: &[usize], expense: &Expense) -> f64 {
    let ratio = |&candidate: &usize| {
        let cost = expense.of(candidate);
        (cost > 0.0).then(|| worth.get(candidate).copied().unwrap_or(0.0) / cost)
    };
    eligible.iter().filter_map(ratio).fold(0.0, f64::max)
}

fn lowest(fits: impl Fn(f64) -> bool, most: f64) -> f64 {
    let (mut low, mut high) = (0.0, most);
    for _ in 0..STEPS {
        let middle = 0.5 * (low + high);
        if fits(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// Which of the `costs`, in the order in which they are wanted, `budget` and `places` hold.
pub fn fit(costs: impl IntoIterator<Item = f64>, budget: f64, places: usize) -> Vec<bool> {
    let (mut left, mut free) = (budget * (1.0 + SLACK), places);
    let take = |cost: f64| {
        let taken = free > 0 && cost <= left;
        if taken {
            (left, free) = (left - cost, free - 1);
        }
        taken
    };
    costs.into_iter().map(take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORTH: [f64; 5] = [0.60, 0.50, 0.40, 0.30, 0.05];
    const COSTS: [f64; 5] = [60.0, 30.0, 20.0, 10.0, 1.0];

    /// Whom the rule takes, by name.
    fn taken(budget: f64, batch: usize) -> Vec<usize> {
        let expense = Expense { each: &COSTS, budget, batch };
        let keys = keys(Acquisition::HitProbability, &WORTH, &[0, 1, 2, 3, 4], &expense).unwrap();
        let mut order: Vec<usize> = (0..5).collect();
        order.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]));
        let fits = fit(order.iter().map(|&candidate| COSTS[candidate]), budget, batch);
        let mut taken: Vec<usize> =
            order.into_iter().zip(fits).filter(|(_, fits)| *fits).map(|(it, _)| it).collect();
        taken.sort_unstable();
        taken
    }

    /// The best of all subsets.
    fn best(budget: f64, batch: usize) -> f64 {
        let subsets =
            (0u32..32).map(|set| (0..5).filter(move |item| set & (1 << item) != 0).collect::<Vec<_>>());
        let cost = |set: &Vec<usize>| set.iter().map(|&item| COSTS[item]).sum::<f64>();
        let held = subsets.filter(|set| set.len() <= batch && cost(set) <= budget);
        held.map(|set| set.iter().map(|&item| WORTH[item]).sum::<f64>()).fold(0.0, f64::max)
    }

    #[test]
    fn a_small_knapsack_is_filled_as_by_hand() {
        assert_eq!(taken(1000.0, 2), [0, 1], "money enough: the likeliest hits");
        assert_eq!(taken(60.0, 3), [1, 2, 3], "1.2 hits for 60 rather than 0.6");
        assert_eq!(taken(50.0, 2), [1, 2], "two places, 50: 0.9 hits");
        assert_eq!(taken(31.0, 5), [2, 3, 4], "by score a cost, down to what is cheap");
        assert_eq!(taken(0.5, 3), Vec::<usize>::new());
    }

    #[test]
    fn it_is_never_far_from_the_best_of_all_subsets_and_never_over_the_budget() {
        for budget in (1..=13).map(|tens| f64::from(tens) * 10.0) {
            for batch in 1..=5 {
                let taken = taken(budget, batch);
                let cost: f64 = taken.iter().map(|&item| COSTS[item]).sum();
                let worth: f64 = taken.iter().map(|&item| WORTH[item]).sum();
                assert!(cost <= budget && taken.len() <= batch);
                // A greedy knapsack may miss up to the one item that did not fit (Dantzig 1957).
                let most = WORTH.iter().copied().fold(0.0, f64::max);
                assert!(worth >= best(budget, batch) - most + 1e-12, "{budget} {batch}: {taken:?}");
            }
        }
    }

    #[test]
    fn a_rule_whose_score_has_no_zero_keeps_its_order() {
        let expense = Expense { each: &COSTS, budget: 10.0, batch: 2 };
        for rule in [Acquisition::Greedy, Acquisition::Ucb { beta: 1.0 }, Acquisition::Random] {
            assert!(keys(rule, &WORTH, &[0, 1, 2, 3, 4], &expense).is_none());
        }
        // Of logarithms the order is that of what they are logarithms of.
        let logarithms = WORTH.map(f64::ln);
        let keys = keys(Acquisition::ExpectedImprovement, &logarithms, &[0, 1, 2, 3, 4], &expense).unwrap();
        assert!(keys[4] > keys[3] && keys[3] > keys[2] && keys[1] > keys[0], "{keys:?}");
        assert_eq!(fit([6.0, 6.0, 3.0, 1.0], 10.0, 3), [true, false, true, true]);
    }
}
