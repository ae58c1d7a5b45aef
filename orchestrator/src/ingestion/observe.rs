//! What one plate says of each proposal.

use super::normalise::mean_and_sd;
use crate::campaigns::spec::HitRule;
use crate::ids::ProposalId;
use instruments::labware::Well;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A reader's own hit call counts as one from here on.
const CALLED: f64 = 0.5;

/// One proposal, over its usable wells of one plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Observed {
    pub proposal: ProposalId,
    /// Mean of the replicates, normalised (negative control 0, positive control 1).
    pub value: f64,
    /// Standard error of that mean; `None` with one replicate.
    pub sem: Option<f64>,
    /// Wells it rests on.
    pub replicates: u32,
    /// By the campaign's rule; `None` when its channel was not read.
    pub hit: Option<bool>,
}

/// One proposal's wells; `None` when none of them has a value.
///
/// `calls`: readings of the channel that calls hits, when the rule names one. Replicates vote: a hit needs
/// more than half of the wells that were called, so that a tie is none. Thresholds look at the mean.
pub fn observe(
    proposal: ProposalId,
    wells: &[Well],
    values: &BTreeMap<Well, f64>,
    calls: &BTreeMap<Well, f64>,
    rule: &HitRule,
) -> Option<Observed> {
    let usable: Vec<(Well, f64)> =
        wells.iter().filter_map(|well| Some((*well, *values.get(well)?))).collect();
    let replicates: Vec<f64> = usable.iter().map(|(_, value)| *value).collect();
    let (mean, sd) = mean_and_sd(&replicates);
    let value = mean.filter(|mean| mean.is_finite())?;
    let n = replicates.len();
    let sem = sd.map(|sd| sd / (n as f64).sqrt()).filter(|sem| sem.is_finite());
    let hit = match rule {
        HitRule::Channel(_) => vote(usable.iter().filter_map(|(well, _)| calls.get(well).copied())),
        HitRule::AtLeast(threshold) => Some(value >= *threshold),
        HitRule::AtMost(threshold) => Some(value <= *threshold),
        HitRule::TwoSided(threshold) => Some(value.abs() >= *threshold),
    };
    Some(Observed { proposal, value, sem, replicates: u32::try_from(n).unwrap_or(u32::MAX), hit })
}

fn vote(calls: impl Iterator<Item = f64>) -> Option<bool> {
    let calls: Vec<f64> = calls.filter(|call| call.is_finite()).collect();
    let hits = calls.iter().filter(|call| **call >= CALLED).count();
    (!calls.is_empty()).then_some(2 * hits > calls.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(values: &[f64], calls: &[f64], rule: &HitRule) -> Option<Observed> {
        let wells: Vec<Well> = (0..4).filter_map(|column| Well::new(0, column)).collect();
        let map = |xs: &[f64]| wells.iter().copied().zip(xs.iter().copied()).collect();
        observe(ProposalId(uuid::Uuid::nil()), &wells, &map(values), &map(calls), rule)
    }

    #[test]
    fn value_is_the_mean_and_its_error_the_standard_error() {
        // Mean 1, sample sd sqrt(2 / 2) = 1, error 1 / sqrt(3).
        let three = observed(&[0.0, 1.0, 2.0], &[], &HitRule::AtLeast(1.0)).unwrap();
        assert_eq!((three.value, three.replicates, three.hit), (1.0, 3, Some(true)));
        assert!((three.sem.unwrap() - 1.0 / 3f64.sqrt()).abs() < 1e-15);
        let one = observed(&[0.25], &[], &HitRule::AtMost(0.2)).unwrap();
        assert_eq!((one.value, one.sem, one.hit), (0.25, None, Some(false)));
        assert_eq!(observed(&[-2.0], &[], &HitRule::TwoSided(1.5)).unwrap().hit, Some(true));
        assert_eq!(observed(&[], &[1.0], &HitRule::AtLeast(0.0)), None);
    }

    #[test]
    fn replicates_vote_and_a_tie_is_no_hit() {
        let rule = HitRule::Channel("call".into());
        let hit = |calls: &[f64]| observed(&[0.0; 4], calls, &rule).unwrap().hit;
        assert_eq!(hit(&[1.0, 0.0]), Some(false));
        assert_eq!(hit(&[1.0, 0.0, 1.0]), Some(true));
        assert_eq!(hit(&[]), None);
        assert_eq!(hit(&[f64::NAN]), None);
        // A well without a usable value has no vote.
        assert_eq!(observed(&[0.0], &[0.0, 1.0, 1.0], &rule).unwrap().hit, Some(false));
    }
}
