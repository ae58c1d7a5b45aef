//! What a closed round was, in numbers. Pure; the counts come from the store.

use crate::campaigns::spec::HitRule;
use crate::rounds::pooled::{Plate, Pooled};
use crate::store::observations::Observed;
use crate::store::rounds::StageEntry;
use chrono::{DateTime, Utc};
use jobs::Experiment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Stored with the round when it closes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RoundSummary)]
pub struct Summary {
    /// Experiments of the approved batch.
    pub proposed: u32,
    /// Of them, with at least one transfer that was not reported as failed.
    pub dispensed: u32,
    /// Of them, with at least one reading.
    pub measured: u32,
    /// Of them, with an observation from a plate that passed QC or that a person released.
    pub passed_qc: u32,
    /// Of them, measured before by another round.
    #[serde(default)]
    pub measured_again: u32,
    /// Of them, hits that were none before.
    pub hits_found: u32,
    /// Of them, hits of before that are none any more, with what was measured here.
    #[serde(default)]
    pub hits_withdrawn: u32,
    pub given_up: u32,
    /// Assay plates used, those made again among them.
    pub plates: u32,
    /// Fraction of observations inside their central 90 % predictive interval; `None` without predictions.
    pub coverage_90: Option<f64>,
    /// Of the version that proposed; `None` when there was none.
    pub model_version: Option<u32>,
    /// Real seconds in each stage; `held` among them.
    pub stage_seconds: BTreeMap<String, f64>,
    /// Real seconds from the start to the end of the round.
    pub total_seconds: f64,
    /// Of them, with a worker (learner, device) at a job of the round.
    pub worker_seconds: f64,
    /// Of them, waiting for people (approval, held).
    pub waiting_for_people_seconds: f64,
    /// The rest: ours.
    pub orchestration_seconds: f64,
}

/// Half of the central 90 % interval of a normal distribution, in standard deviations.
const Z_90: f64 = 1.644_853_626_951_472_2;

/// Fraction of `observations` inside their central 90 % predictive interval.
pub fn coverage_90(observations: &[Observed]) -> Option<f64> {
    let inside: Vec<bool> = observations
        .iter()
        .filter_map(|o| Some((o.value - o.predicted_mean?).abs() <= Z_90 * o.predicted_sd?))
        .collect();
    let covered = inside.iter().filter(|inside| **inside).count();
    // Numbers of experiments: exact in a double.
    (!inside.is_empty()).then(|| covered as f64 / inside.len() as f64)
}

/// What round `number` changed about calls, given all of the campaign's observations up to it.
pub fn calls(all: &[Observed], number: u32, rule: &HitRule) -> Calls {
    let mut experiments: BTreeMap<&Experiment, (Vec<Plate>, Vec<Plate>)> = BTreeMap::new();
    for observed in all {
        let (before, here) = experiments.entry(&observed.experiment).or_default();
        match observed.round_number {
            round if round < number => before.push(observed.into()),
            round if round == number => here.push(observed.into()),
            _ => {}
        }
    }
    let mut calls = Calls::default();
    for (before, here) in experiments.into_values().filter(|(_, here)| !here.is_empty()) {
        let is_hit = |plates: &[Plate]| Pooled::of(plates, rule).and_then(|pooled| pooled.hit) == Some(true);
        let together = [before.as_slice(), here.as_slice()].concat();
        calls.count(!before.is_empty(), is_hit(&before), is_hit(&together));
    }
    calls
}

/// What one round changed about hit calls, in experiments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub measured_again: u32,
    /// Hits that were none before.
    pub found: u32,
    /// Hits of before that are none any more.
    pub withdrawn: u32,
}

impl Calls {
    /// One experiment: whether it was measured before, a hit by then, and a hit now.
    pub fn count(&mut self, again: bool, before: bool, now: bool) {
        self.measured_again += u32::from(again);
        self.found += u32::from(now && !before);
        self.withdrawn += u32::from(before && !now);
    }
}

/// Real seconds per stage; the last one lasts until `end`.
pub fn stage_seconds(entries: &[StageEntry], end: DateTime<Utc>) -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let until = entries.get(index + 1).map_or(end, |next| next.entered_at);
        *seconds.entry(entry.stage.clone()).or_insert(0.0) += (until - entry.entered_at).as_seconds_f64();
    }
    seconds
}

impl Summary {
    /// Fills in what the clocks say.
    pub fn with_times(mut self, entries: &[StageEntry], end: DateTime<Utc>, worker_seconds: f64) -> Self {
        self.stage_seconds = stage_seconds(entries, end);
        self.total_seconds = self.stage_seconds.values().sum();
        self.worker_seconds = worker_seconds;
        self.waiting_for_people_seconds =
            ["awaiting_approval", "held"].iter().filter_map(|stage| self.stage_seconds.get(*stage)).sum();
        self.orchestration_seconds =
            (self.total_seconds - self.worker_seconds - self.waiting_for_people_seconds).max(0.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PlateId, ProposalId};
    use jobs::Context;

    fn observed(gene: &str, round_number: u32, hit: bool, error: f64) -> Observed {
        Observed {
            round_number,
            proposal_id: ProposalId::fresh(),
            plate_id: PlateId::fresh(),
            experiment: Experiment { perturbation: gene.parse().unwrap(), context: Context("c".into()) },
            readout: "signal".into(),
            value: error,
            sem: None,
            replicates: 1,
            hit: Some(hit),
            predicted_mean: Some(0.0),
            predicted_sd: Some(1.0),
        }
    }

    #[test]
    fn a_hit_counts_once_and_until_another_measurement_withdraws_it() {
        let all = [
            observed("A", 1, true, 0.6),
            observed("D", 1, true, 0.6),
            observed("A", 2, true, 0.6),
            observed("B", 2, true, 0.6),
            observed("C", 2, false, 0.0),
            observed("D", 2, false, 0.2),
        ];
        let threshold = HitRule::AtLeast(0.5);
        let counted = |number, rule| {
            let Calls { measured_again, found, withdrawn } = calls(&all, number, rule);
            (measured_again, found, withdrawn)
        };
        assert_eq!((counted(1, &threshold), counted(2, &threshold)), ((0, 2, 0), (2, 1, 1)));
        // Where a reader calls, a tie is a hit.
        assert_eq!(counted(2, &HitRule::Channel("call".into())), (2, 1, 0));
    }

    #[test]
    fn coverage_is_the_fraction_inside_the_interval() {
        let all = [observed("A", 1, true, 1.6), observed("B", 1, true, -1.7)];
        assert_eq!(coverage_90(&all), Some(0.5));
        assert_eq!(coverage_90(&[]), None);
    }

    #[test]
    fn stages_entered_twice_add_up() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let entry = |stage: &str, seconds| StageEntry {
            stage: stage.into(),
            entered_at: at(seconds),
            entered_lab_at: at(0),
        };
        let entries = [entry("executing", 0), entry("held", 4), entry("executing", 6)];
        let summary = Summary::default().with_times(&entries, at(10), 5.0);
        assert_eq!(summary.stage_seconds["executing"], 8.0);
        assert_eq!((summary.total_seconds, summary.orchestration_seconds), (10.0, 3.0));
    }
}
