//! One experiment over all its plates, of one round or of several.

use crate::campaigns::spec::HitRule;
use std::collections::BTreeMap;

/// What one plate said of one experiment.
#[derive(Clone, Copy, Debug)]
pub struct Plate {
    pub value: f64,
    pub sem: Option<f64>,
    pub replicates: u32,
    pub hit: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    /// Mean, weighted by replicates.
    pub value: f64,
    /// Standard error of that mean, where every plate has one; else by what the plates differ, of two or more.
    pub sem: Option<f64>,
    pub replicates: u32,
    /// `None` when no plate was called.
    pub hit: Option<bool>,
}

impl Pooled {
    /// `None` of no plates. A threshold looks at the pooled value; where a reader calls hits, the plates vote and a tie is
    /// a hit.
    pub fn of(plates: &[Plate], rule: &HitRule) -> Option<Self> {
        let replicates: u32 = plates.iter().map(|plate| plate.replicates).sum();
        if replicates == 0 {
            return None;
        }
        let weight = |plate: &Plate| f64::from(plate.replicates) / f64::from(replicates);
        let value = plates.iter().map(|plate| weight(plate) * plate.value).sum();
        let variance: Option<f64> =
            plates.iter().map(|plate| plate.sem.map(|sem| (weight(plate) * sem).powi(2))).sum();
        let variance = variance.or_else(|| variance_between(plates, value, replicates));
        let called = plates.iter().filter_map(|plate| plate.hit);
        let hits = plates.iter().filter(|plate| plate.hit == Some(true)).count();
        let hit = call(rule, value, called.count(), hits);
        Some(Self { value, sem: variance.map(f64::sqrt), replicates, hit })
    }

    /// Of labels, by their positions: the one that most wells had, of equals the lowest, as within one plate.
    pub fn label(plates: &[Plate]) -> Option<Self> {
        let mut wells: BTreeMap<i64, u32> = BTreeMap::new();
        for plate in plates.iter().filter(|plate| plate.value.is_finite()) {
            // Positions in a list that a campaign file holds.
            *wells.entry(plate.value.round() as i64).or_default() += plate.replicates;
        }
        let (label, _) = wells.iter().max_by_key(|(label, wells)| (**wells, std::cmp::Reverse(**label)))?;
        Some(Self { value: *label as f64, sem: None, replicates: wells.values().sum(), hit: None })
    }
}

/// The call on a pooled value; `called` plates were called, `hits` of them hits.
pub fn call(rule: &HitRule, value: f64, called: usize, hits: usize) -> Option<bool> {
    let by_vote = 2 * hits >= called;
    (called > 0).then(|| rule.threshold().map_or(by_vote, |threshold| threshold.calls(value)))
}

/// Of the mean: what plates differ by, a replicate, over the replicates.
fn variance_between(plates: &[Plate], mean: f64, replicates: u32) -> Option<f64> {
    let squares: f64 =
        plates.iter().map(|plate| f64::from(plate.replicates) * (plate.value - mean).powi(2)).sum();
    let others = u32::try_from(plates.len()).ok()?.checked_sub(1).filter(|others| *others > 0)?;
    Some(squares / f64::from(others) / f64::from(replicates))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(value: f64, replicates: u32, sem: Option<f64>, hit: Option<bool>) -> Plate {
        Plate { value, sem, replicates, hit }
    }

    #[test]
    fn a_threshold_is_asked_of_the_pooled_value() {
        // A hit on one plate and none on the other, by 0.5: (0.54 + 3 x 0.4) / 4 = 0.435.
        let plates = [plate(0.54, 1, None, Some(true)), plate(0.4, 3, None, Some(false))];
        let pooled = Pooled::of(&plates, &HitRule::AtLeast(0.5)).unwrap();
        assert!((pooled.value - 0.435).abs() < 1e-12, "{pooled:?}");
        assert_eq!((pooled.replicates, pooled.hit), (4, Some(false)));
        assert_eq!(Pooled::of(&plates, &HitRule::AtMost(0.44)).unwrap().hit, Some(true));
        assert_eq!(Pooled::of(&plates, &HitRule::Channel("call".into())).unwrap().hit, Some(true), "a tie");
    }

    #[test]
    fn errors_add_up_by_their_weights_or_come_from_what_plates_differ_by() {
        let rule = HitRule::AtLeast(0.5);
        let known = [plate(1.0, 1, Some(0.4), None), plate(2.0, 3, Some(0.4), None)];
        let pooled = Pooled::of(&known, &rule).unwrap();
        // sqrt((0.4 / 4)^2 + (3 x 0.4 / 4)^2)
        assert!((pooled.sem.unwrap() - 0.1f64.sqrt()).abs() < 1e-12 && pooled.hit.is_none(), "{pooled:?}");
        // Two single wells at 0.4 and 0.6: sample variance 0.02, of the mean half of it.
        let single = [plate(0.4, 1, None, Some(false)), plate(0.6, 1, None, Some(true))];
        let pooled = Pooled::of(&single, &rule).unwrap();
        assert!((pooled.sem.unwrap() - 0.1).abs() < 1e-12, "{pooled:?}");
        assert_eq!(Pooled::of(&single[..1], &rule).unwrap().sem, None);
        assert_eq!(Pooled::of(&[], &rule), None);
    }
}
