//! Whom to measure again: the calls that noise leaves doubtful, against what the last new experiments of a batch promise.

use super::Request;
use crate::acquisition::Candidates;
use crate::acquisition::auto::Replicating;
use crate::acquisition::replicate::{self, Mean, Stakes};
use crate::data::Observation;
use crate::metrics;
use jobs::Experiment;
use jobs::work::learn::{Repeats as Allowed, Threshold};
use std::collections::{HashMap, HashSet};

/// A call that one more measurement may put right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Doubt {
    /// Position in the pool.
    pub candidate: usize,
    /// Wrong calls that the measurement takes off, in expectation; weighed by feasibility.
    pub gain: f64,
    value: f64,
    error: f64,
    wells: f64,
    threshold: Threshold,
    wrong: f64,
    wrong_after: f64,
}

#[cfg(test)]
impl Doubt {
    /// For who looks at places alone.
    pub fn about(candidate: usize) -> Self {
        let threshold = Threshold::AtLeast(0.5);
        Self {
            candidate,
            gain: 0.1,
            value: 0.4,
            error: 0.2,
            wells: 2.0,
            threshold,
            wrong: 0.3,
            wrong_after: 0.2,
        }
    }
}

/// What may be measured again.
pub(super) struct Repeats {
    at_most: usize,
    /// As many as the job allows, of so many places.
    asked: usize,
    places: usize,
    /// Most is gained first.
    doubts: Vec<Doubt>,
    /// Why there are none.
    none: &'static str,
}

impl Repeats {
    pub fn none() -> Self {
        Self::without("what is measured is not asked for again")
    }

    fn without(none: &'static str) -> Self {
        Self { at_most: 0, asked: 0, places: 0, doubts: Vec::new(), none }
    }

    pub fn of(request: &Request, candidates: &Candidates) -> Self {
        let Some(allowed) = request.repeats else { return Self::none() };
        let called = || replicate::threshold_of_calls(request.cut, request.objective);
        let Some(threshold) = allowed.threshold.or_else(called) else {
            return Self::without("the reader's calls do not say from which value on an experiment is a hit");
        };
        let noise = metrics::mean(candidates.predictions.iter().map(|it| it.aleatoric_sd.powi(2)));
        let stakes = Stakes::of(request.cut, threshold, allowed.replicates, noise.unwrap_or_default());
        let Some(stakes) = stakes else {
            return Self::without("too little is measured to say how much noise there is");
        };
        let mut doubts = doubts(request, allowed, &stakes, candidates);
        doubts.sort_by(|a, b| b.gain.total_cmp(&a.gain));
        let within = |money: &mut f64, doubt: &Doubt| {
            *money -= candidates.cost([doubt.candidate]);
            (*money >= 0.0).then_some(())
        };
        let money = candidates.expense.map_or(f64::INFINITY, |expense| expense.budget);
        let affordable = doubts.iter().scan(money, within).count();
        let none = "no hit call is so doubtful that measuring it again is worth a new experiment";
        let (asked, places) = (allowed.at_most as usize, request.batch_size);
        Self { at_most: affordable.min(asked), asked, places, doubts, none }
    }

    /// Those that are worth more than what they take the place of, and what is said of them. `chances`: probability of
    /// a hit of each new experiment of the batch, in its order; `batch`: its places.
    pub fn allocate(&self, chances: &[f64], batch: usize) -> (Vec<Doubt>, Replicating) {
        let free = batch.saturating_sub(chances.len());
        let displaced = std::iter::repeat_n(0.0, free).chain(chances.iter().rev().copied());
        let gains: Vec<f64> = self.doubts.iter().map(|doubt| doubt.gain).collect();
        // A batch that holds less than its places holds as many repeats fewer.
        let at_most = self.at_most.min(self.asked * batch / self.places.max(1));
        let count = replicate::worth_repeating(&gains, displaced.clone(), at_most);
        if count == 0 {
            return (
                Vec::new(),
                Replicating { count, words: format!("none replicates, since {}", self.none) },
            );
        }
        let (gained, given_up) = (gains[..count].iter().sum::<f64>(), displaced.take(count).sum::<f64>());
        (self.doubts[..count].to_vec(), replicating((count, batch), gained, given_up))
    }
}

/// `count` of `batch` are measured again: wrong calls that takes off, and hits that new experiments in their place would be.
pub(super) fn replicating((count, batch): (usize, usize), gained: f64, given_up: f64) -> Replicating {
    let words = format!(
        "{count} ({:.0} %) replicate (measured again, since noise leaves their hit calls doubtful: {gained:.1} wrong \
         calls fewer expected, where new experiments in their place would be {given_up:.1} hits)",
        100.0 * count as f64 / batch.max(1) as f64
    );
    Replicating { count, words }
}

fn doubts(request: &Request, allowed: &Allowed, stakes: &Stakes, candidates: &Candidates) -> Vec<Doubt> {
    let rows: HashMap<&Experiment, &Observation> =
        request.cut.iter().map(|row| (&row.experiment, row)).collect();
    let pending: HashSet<&Experiment> = request.pending.iter().collect();
    let asked: HashSet<&Experiment> =
        allowed.experiments.iter().filter(|experiment| !pending.contains(experiment)).collect();
    let places = request.pool.iter().enumerate().filter(|(_, experiment)| asked.contains(experiment));
    let doubt = |(candidate, experiment): (usize, &Experiment)| {
        let row = rows.get(experiment)?;
        let mean = Mean { value: row.value, wells: row.replicates };
        let (wrong, wrong_after) = (stakes.wrong(mean), stakes.wrong_after(mean));
        let feasible = candidates.feasibility.get(candidate).unwrap_or(&1.0);
        Some(Doubt {
            candidate,
            gain: feasible * (wrong - wrong_after).max(0.0),
            value: row.value,
            error: stakes.error(mean),
            wells: row.replicates,
            threshold: stakes.threshold,
            wrong,
            wrong_after,
        })
    };
    places.filter_map(doubt).collect()
}

impl Doubt {
    /// Why it is measured again.
    pub fn words(&self) -> String {
        let threshold = match self.threshold {
            Threshold::AtLeast(value) | Threshold::AtMost(value) => format!("{value:.3}"),
            Threshold::TwoSided(value) => format!("{value:.3} to either side"),
        };
        let Self { value, error, wells, wrong, wrong_after, .. } = self;
        format!(
            "measured {value:.3} +- {error:.3} ({wells} wells), the threshold is {threshold}: one more measurement takes \
             the probability of a wrong call from {wrong:.2} to {wrong_after:.2}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_money_cuts_short_holds_as_many_repeats_fewer_and_none_for_free() {
        let doubt = |gain| Doubt {
            candidate: 0,
            gain,
            value: 0.0,
            error: 0.1,
            wells: 2.0,
            threshold: Threshold::AtLeast(0.0),
            wrong: 0.5,
            wrong_after: 0.5 - gain,
        };
        let doubts = [0.3, 0.25, 0.2, 0.05].map(doubt).to_vec();
        let repeats = Repeats { at_most: 4, asked: 4, places: 20, doubts, none: "" };
        let again = |chances: &[f64], places| repeats.allocate(chances, places).1.count;
        // Places that no new experiment fills are free; otherwise each repeat costs a new one.
        assert_eq!(again(&[0.1; 10], 20), 4);
        assert_eq!(again(&[0.1; 20], 20), 3);
        // Half of the places, half of the repeats.
        assert_eq!(again(&[0.1; 10], 10), 2);
        assert_eq!(again(&[0.28; 10], 10), 1);
    }
}
