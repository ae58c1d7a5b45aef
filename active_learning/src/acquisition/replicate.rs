//! What one more measurement of an experiment is worth, and whether it is worth more than a new experiment.
//!
//! A hit is called on the mean over all wells of an experiment. The call is wrong where the experiment's own value, free
//! of noise, lies on the other side of the threshold. One more measurement is worth what it is expected to take off that
//! probability: the knowledge gradient (Frazier, Powell & Dayanik 2008, "A knowledge-gradient policy for sequential
//! information collection", one step ahead) of ranking and selection, with right calls as utility. A new experiment is
//! worth its probability of being a hit. Both are calls that come out right, so one is exchanged for the other only
//! while it brings more.
//!
//! Own values are normal a priori (`centre`, `spread`), by the rows measured, what noise adds taken off (empirical Bayes:
//! Efron & Morris 1975); a well is the own value and noise (`well`). A value far above the rest is then taken for partly
//! luck, as it is where what is measured was chosen for being high.
//!
//! Where we depart: the call stays the campaign's (the pooled mean against the threshold), not the one that would be
//! right most often; and measurements of other experiments teach nothing of this one.

use crate::data::Observation;
use crate::metrics;
use jobs::work::learn::{Objective, Threshold};

/// Own values vary at least by this part of the variance of what was measured.
const LEAST_SPREAD: f64 = 0.01;
/// Rows from which a spread is estimated.
const FEWEST_ROWS: usize = 8;
/// Calls of either sort from which a threshold is read off.
const FEWEST_CALLS: usize = 4;
/// Of the integral over what the next measurement may say: half its width in sd, and its steps.
const WIDTH: f64 = 6.0;
const STEPS: u32 = 400;

/// What the worth of a measurement follows from; values in the readout's own units.
#[derive(Clone, Copy, Debug)]
pub struct Stakes {
    pub threshold: Threshold,
    /// Variance of one well about its experiment's own value.
    pub well: f64,
    /// Mean and variance of own values.
    pub centre: f64,
    pub spread: f64,
    /// Wells of one more measurement.
    pub wells: f64,
}

/// A mean over wells.
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    pub value: f64,
    pub wells: f64,
}

impl Stakes {
    /// By the rows measured. `model_noise`: variance of a new row as the model sees it, where no row says how its wells
    /// differ; it holds what no feature foretells too, so it is an upper bound. `None`: too little is measured.
    pub fn of(rows: &[Observation], threshold: Threshold, wells: u32, model_noise: f64) -> Option<Self> {
        let per_row = metrics::mean(rows.iter().map(|row| row.replicates.recip()))?;
        let between = rows.iter().filter_map(|row| row.sem.map(|sem| sem * sem * row.replicates));
        let well = metrics::mean(between).unwrap_or(model_noise / per_row);
        let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
        let (centre, sd) = (metrics::mean(values.iter().copied())?, metrics::sd(&values)?);
        if rows.len() < FEWEST_ROWS || sd <= 0.0 || !well.is_finite() || well <= 0.0 {
            return None;
        }
        let spread = (sd * sd - well * per_row).max(LEAST_SPREAD * sd * sd);
        Some(Self { threshold, well, centre, spread, wells: f64::from(wells.max(1)) })
    }

    /// Standard error of a mean.
    pub fn error(&self, mean: Mean) -> f64 {
        (self.well / mean.wells).sqrt()
    }

    /// Probability that the call on `mean` is wrong.
    pub fn wrong(&self, mean: Mean) -> f64 {
        let (own, variance) = self.own(mean);
        let hit = self.beyond(own, variance.sqrt());
        if self.threshold.calls(mean.value) { 1.0 - hit } else { hit }
    }

    /// The same after one more measurement, in expectation.
    pub fn wrong_after(&self, mean: Mean) -> f64 {
        let (own, variance) = self.own(mean);
        let next = (variance + self.well / self.wells).sqrt();
        let wells = mean.wells + self.wells;
        let step = 2.0 * WIDTH / f64::from(STEPS);
        let middles = (0..STEPS).map(|number| (f64::from(number) + 0.5) * step - WIDTH);
        let (weights, sum) = middles.fold((0.0, 0.0), |(weights, sum), z| {
            let value = (mean.wells * mean.value + self.wells * (own + next * z)) / wells;
            let weight = metrics::normal_pdf(z);
            (weights + weight, sum + weight * self.wrong(Mean { value, wells }))
        });
        sum / weights
    }

    /// Mean and variance of the own value, given a mean over wells.
    fn own(&self, mean: Mean) -> (f64, f64) {
        let noise = self.well / mean.wells;
        let trust = self.spread / (self.spread + noise);
        (self.centre + trust * (mean.value - self.centre), trust * noise)
    }

    /// Probability that a normal value is a hit.
    fn beyond(&self, mean: f64, sd: f64) -> f64 {
        let below = |threshold: f64| metrics::normal_cdf((threshold - mean) / sd);
        match self.threshold {
            Threshold::AtLeast(threshold) => 1.0 - below(threshold),
            Threshold::AtMost(threshold) => below(threshold),
            Threshold::TwoSided(threshold) => below(-threshold) + 1.0 - below(threshold),
        }
    }
}

/// The threshold that tells hits from the rest with the fewest mistakes, where a reader calls them itself. `None`: there
/// are too few calls of either sort, or they do not follow the value.
pub fn threshold_of_calls(rows: &[Observation], objective: Objective) -> Option<Threshold> {
    let utility = |value: f64| super::utility(objective, 0.0, value);
    let mut called: Vec<(f64, bool)> =
        rows.iter().filter_map(|row| Some((utility(row.value), row.hit?))).collect();
    let hits = called.iter().filter(|(_, hit)| *hit).count();
    if hits < FEWEST_CALLS || called.len() - hits < FEWEST_CALLS {
        return None;
    }
    let (fewest, between) = metrics::fewest_mistakes(&mut called)?;
    (2 * fewest < hits).then_some(match objective {
        Objective::Maximise => Threshold::AtLeast(between),
        Objective::Minimise => Threshold::AtMost(-between),
        Objective::TwoSided => Threshold::TwoSided(between),
    })
}

/// How many repeats a batch holds: the first so many of `gains` (largest first) that are worth more than what they take
/// the place of. `displaced`: probability of a hit of the batch's new experiments, the last one first; places that no new
/// experiment fills are free.
pub fn worth_repeating(gains: &[f64], displaced: impl IntoIterator<Item = f64>, at_most: usize) -> usize {
    let pairs = gains.iter().zip(displaced).take(at_most);
    pairs.take_while(|(gain, chance)| **gain > *chance).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::{Context, Experiment};
    use std::f64::consts::PI;

    impl Stakes {
        fn gain(&self, mean: Mean) -> f64 {
            self.wrong(mean) - self.wrong_after(mean)
        }
    }

    /// Own values so spread out that they say nothing beforehand.
    fn flat(threshold: Threshold, wells: f64) -> Stakes {
        Stakes { threshold, well: 0.04, centre: 0.0, spread: 1e6, wells }
    }

    #[test]
    fn at_the_threshold_a_measurement_is_worth_the_closed_form() {
        // On the threshold, the own value X ~ N(t, s^2) and the next mean M, both about t: they fall on different sides
        // with probability arccos(corr) / pi, corr^2 = 1 - s'^2 / s^2 = k / (n + k).
        for (n, k) in [(1.0, 1.0), (2.0, 2.0), (2.0, 4.0), (4.0, 1.0)] {
            let stakes = flat(Threshold::AtLeast(0.5), k);
            let mean = Mean { value: 0.5, wells: n };
            let after = (k / (n + k)).sqrt().acos() / PI;
            assert!((stakes.wrong(mean) - 0.5).abs() < 1e-3, "{}", stakes.wrong(mean));
            assert!((stakes.wrong_after(mean) - after).abs() < 2e-3, "{n} {k}: {}", stakes.wrong_after(mean));
            assert!((stakes.gain(mean) - (0.5 - after)).abs() < 3e-3);
        }
    }

    #[test]
    fn what_is_far_from_the_threshold_is_worth_nothing_whichever_side() {
        let error = 0.2;
        let gain = |threshold, value| flat(threshold, 1.0).gain(Mean { value, wells: 1.0 });
        for sd in [4.0, 6.0] {
            assert!(gain(Threshold::AtLeast(0.5), 0.5 + sd * error) < 1e-4);
            assert!(gain(Threshold::AtLeast(0.5), 0.5 - sd * error) < 1e-4);
        }
        let above = gain(Threshold::AtLeast(0.5), 0.6);
        assert!((above - gain(Threshold::AtLeast(0.5), 0.4)).abs() < 1e-3, "either side alike");
        assert!((above - gain(Threshold::AtMost(-0.5), -0.6)).abs() < 1e-9, "either end alike");
        assert!((above - gain(Threshold::TwoSided(0.5), -0.6)).abs() < 1e-3, "the other end is far");
        assert!(above > 0.05 && above < 0.25, "{above}");
    }

    #[test]
    fn a_value_above_the_rest_is_taken_for_partly_luck() {
        // Own values N(0, .04), as noisy as that: of 0.6 half is luck, and the own value is below 0.5 more often than not.
        let stakes =
            Stakes { threshold: Threshold::AtLeast(0.5), well: 0.04, centre: 0.0, spread: 0.04, wells: 1.0 };
        let mean = Mean { value: 0.6, wells: 1.0 };
        // N(0.3, 0.02): P(< 0.5) = Phi(0.2 / 0.1414) = Phi(1.414).
        assert!((stakes.wrong(mean) - 0.9214).abs() < 1e-3, "{}", stakes.wrong(mean));
        assert!(stakes.gain(mean) > 0.4, "{}", stakes.gain(mean));
    }

    fn row(value: f64, hit: Option<bool>) -> Observation {
        let experiment = Experiment { perturbation: "A".parse().unwrap(), context: Context("c".into()) };
        Observation { replicates: 2.0, sem: Some(0.1), ..Observation::single(experiment, value, hit) }
    }

    #[test]
    fn noise_is_what_wells_differ_by_and_spread_what_is_left() {
        let rows: Vec<Observation> = (0..10).map(|i| row(f64::from(i % 2), None)).collect();
        let stakes = Stakes::of(&rows, Threshold::AtLeast(0.5), 3, 9.0).unwrap();
        // 2 x 0.1^2; values 0 and 1 have a mean of a half.
        assert!((stakes.well - 0.02).abs() < 1e-12 && (stakes.centre - 0.5).abs() < 1e-12);
        let sd = metrics::sd(&rows.iter().map(|row| row.value).collect::<Vec<_>>()).unwrap();
        assert!((stakes.spread - (sd * sd - 0.01)).abs() < 1e-12, "{stakes:?}");
        let bare: Vec<Observation> =
            rows.iter().cloned().map(|row| Observation { sem: None, ..row }).collect();
        assert_eq!(Stakes::of(&bare, Threshold::AtLeast(0.5), 3, 0.03).unwrap().well, 0.06);
        assert!(Stakes::of(&rows[..7], Threshold::AtLeast(0.5), 3, 9.0).is_none(), "too few");
    }

    #[test]
    fn a_threshold_is_read_off_the_calls_or_there_is_none() {
        let rows: Vec<Observation> = (0..20).map(|i| row(f64::from(i), Some(i >= 15))).collect();
        assert_eq!(threshold_of_calls(&rows, Objective::Maximise), Some(Threshold::AtLeast(14.5)));
        let low: Vec<Observation> = (0..20).map(|i| row(f64::from(-i), Some(i >= 15))).collect();
        assert_eq!(threshold_of_calls(&low, Objective::Minimise), Some(Threshold::AtMost(-14.5)));
        let both: Vec<Observation> =
            (0..20).map(|i| row(f64::from(i) * if i % 2 == 0 { 1.0 } else { -1.0 }, Some(i >= 15))).collect();
        assert_eq!(threshold_of_calls(&both, Objective::TwoSided), Some(Threshold::TwoSided(14.5)));
        let any: Vec<Observation> = (0..20).map(|i| row(f64::from(i), Some(i % 4 == 0))).collect();
        assert_eq!(threshold_of_calls(&any, Objective::Maximise), None, "calls that do not follow the value");
        assert_eq!(threshold_of_calls(&rows[..18], Objective::Maximise), None, "three hits are too few");
    }

    #[test]
    fn a_repeat_takes_a_place_only_while_it_is_worth_more() {
        let gains = [0.4, 0.3, 0.2, 0.1];
        assert_eq!(worth_repeating(&gains, [0.05, 0.1, 0.25, 0.3], 4), 2, "0.2 is not worth 0.25");
        assert_eq!(worth_repeating(&gains, [0.05, 0.1, 0.15, 0.3], 1), 1, "no more than allowed");
        assert_eq!(worth_repeating(&gains, [0.4], 4), 0);
        assert_eq!(worth_repeating(&[0.0], [0.0], 4), 0, "nothing is not worth nothing");
    }
}
