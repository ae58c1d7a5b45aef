//! One plate, from its raw readings to what may be learnt of it.

use super::further::{self, FurtherObserved};
use super::judge::{Judgement, judge};
use super::normalise::normalise;
use super::observe::{Observed, observe};
use super::reconcile::{Delivery, TransferRecord, reconcile};
use crate::campaigns::readout::ReadoutSpec;
use crate::campaigns::spec::{HitRule, ObjectiveSpec, Qc};
use crate::ids::ProposalId;
use crate::planning::Role;
use instruments::labware::{PlateFormat, Well};
use instruments::parsers::WellReading;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A well of the plate map, as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapWell {
    pub well: Well,
    pub role: Role,
    /// For samples.
    pub proposal: Option<ProposalId>,
    pub replicate: u32,
}

/// One value of the reader's file.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub well: Well,
    pub channel: String,
    /// In the channel's own unit.
    pub value: f64,
}

/// What is known of one plate once it was read.
#[derive(Clone, Copy, Debug)]
pub struct AssessInput<'a> {
    pub format: PlateFormat,
    pub map: &'a [MapWell],
    /// Of every dispense onto the plate.
    pub transfers: &'a [TransferRecord],
    pub readings: &'a [Reading],
    pub objective: &'a ObjectiveSpec,
    pub readouts: &'a [ReadoutSpec],
    pub qc: &'a Qc,
}

/// The plate judged, and its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    pub judgement: Judgement,
    /// The objective's channel, negative control 0, positive control 1; only wells that were read and
    /// rightly filled. Empty when the controls cannot carry it.
    pub normalised: BTreeMap<Well, f64>,
    /// Per proposal, in order of proposal; also of a plate that failed (a person may release it).
    pub observations: Vec<Observed>,
    /// Of further readouts, of proposals that were observed.
    pub further: Vec<FurtherObserved>,
    /// On the map without one usable well (or on a plate whose controls say nothing).
    pub unmeasured: Vec<ProposalId>,
}

impl From<&WellReading> for Reading {
    fn from(reading: &WellReading) -> Self {
        Self { well: reading.well, channel: reading.channel.clone(), value: reading.value }
    }
}

/// Reconciles, normalises, judges and observes one plate.
///
/// A well counts when every transfer into it was delivered and its reading is a number (of a sample also its call, where
/// a channel calls hits); a well of the map that no transfer went to was not filled. A well read twice counts with its last reading.
pub fn assess(input: &AssessInput) -> Assessment {
    let deliveries = reconcile(input.transfers);
    let filled = |well: &Well| deliveries.get(well) == Some(&Delivery::Ok);
    let channel = |name: &str| -> BTreeMap<Well, f64> {
        let of_channel = input.readings.iter().filter(|reading| reading.channel == name);
        of_channel
            .filter(|reading| filled(&reading.well))
            .map(|reading| (reading.well, reading.value))
            .collect()
    };
    let roles: BTreeMap<Well, Role> = input.map.iter().map(|mapped| (mapped.well, mapped.role)).collect();
    let mut usable = channel(&input.objective.channel);
    let calls = match &input.objective.hit {
        HitRule::Channel(name) => {
            let mut calls = channel(name);
            calls.retain(|_, call| call.is_finite());
            // What nobody called is no "no": such a well has not been read.
            usable.retain(|well, _| roles.get(well) != Some(&Role::Sample) || calls.contains_key(well));
            calls
        }
        _ => BTreeMap::new(),
    };
    let plate = normalise(&usable, &roles, input.qc.robust);

    let mut wells: BTreeMap<ProposalId, Vec<Well>> = BTreeMap::new();
    for mapped in input.map {
        if let Some(proposal) = mapped.proposal {
            wells.entry(proposal).or_default().push(mapped.well);
        }
    }
    let mut observations = Vec::new();
    let mut unmeasured = Vec::new();
    for (&proposal, wells) in &wells {
        match observe(proposal, wells, &plate.values, &calls, &input.objective.hit) {
            Some(observed) => observations.push(observed),
            None => unmeasured.push(proposal),
        }
    }
    wells.retain(|proposal, _| !unmeasured.contains(proposal));
    let further = further::Plate { channel: &channel, roles: &roles, wells: &wells, robust: input.qc.robust };
    let further = further.observe(input.readouts);
    let judgement = judge(input.qc, input.format, &plate, &usable, &roles);
    Assessment { judgement, normalised: plate.values, observations, further, unmeasured }
}

#[cfg(test)]
mod tests {
    use super::super::judge::Verdict;
    use super::*;
    use jobs::work::learn::Objective;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn objective(hit: HitRule) -> ObjectiveSpec {
        ObjectiveSpec {
            readout: "signal".into(),
            channel: "signal".into(),
            direction: Objective::Maximise,
            hit,
        }
    }

    fn transfer(well: Well, actual_nl: Option<u32>) -> TransferRecord {
        TransferRecord {
            index: 0,
            source_barcode: "LIB-1".into(),
            source_well: "A1".into(),
            destination_well: well,
            intended_nl: 1_000,
            actual_nl,
            error: None,
        }
    }

    /// Role, proposal, delivered nL, signal, call; wells in the order of the plate.
    type Row = (Role, Option<u128>, Option<u32>, Option<f64>, Option<f64>);

    fn assessed(rows: &[Row], hit: HitRule, qc: &Qc) -> Assessment {
        let format = PlateFormat::Wells96;
        let (mut map, mut transfers, mut readings) = (Vec::new(), Vec::new(), Vec::new());
        for (well, (role, proposal, delivered, signal, call)) in format.wells().zip(rows) {
            let proposal = proposal.map(|id| ProposalId(Uuid::from_u128(id)));
            map.push(MapWell { well, role: *role, proposal, replicate: 1 });
            transfers.push(transfer(well, *delivered));
            for (channel, value) in [("signal", signal), ("call", call)] {
                readings.extend(value.map(|value| Reading { well, channel: channel.into(), value }));
            }
        }
        let objective = objective(hit);
        assess(&AssessInput {
            format,
            map: &map,
            transfers: &transfers,
            readings: &readings,
            objective: &objective,
            readouts: &[],
            qc,
        })
    }

    #[test]
    fn a_plate_is_read_against_its_controls_and_bad_wells_say_nothing() {
        use Role::{NegativeControl as N, PositiveControl as P, Sample as S};
        let whole = Some(1_000);
        let rows = [
            (N, None, whole, Some(90.0), Some(0.0)),
            (N, None, whole, Some(110.0), Some(0.0)),
            (P, None, whole, Some(1_090.0), Some(1.0)),
            (P, None, whole, Some(1_110.0), Some(1.0)),
            // Proposal 1: 0.5 and 0.7; both called.
            (S, Some(1), whole, Some(600.0), Some(1.0)),
            (S, Some(1), None, Some(800.0), Some(1.0)),
            // Proposal 2: one replicate was short, one is good.
            (S, Some(2), Some(500), Some(5_000.0), Some(1.0)),
            (S, Some(2), whole, Some(100.0), Some(0.0)),
            // Proposal 3: never dispensed, and not read.
            (S, Some(3), Some(0), Some(5_000.0), Some(1.0)),
            (S, Some(3), whole, Some(f64::NAN), Some(1.0)),
        ];
        let qc = Qc { maximum_missing_fraction: 0.3, maximum_control_drift: 1.0, ..Qc::default() };
        let plate = assessed(&rows, HitRule::Channel("call".into()), &qc);

        // Two wells each: sd sqrt(200) = 14.14; 1 - 3 x 28.28 / 1000 = 0.915.
        assert!((plate.judgement.z_prime.unwrap() - (1.0 - 6.0 * 200f64.sqrt() / 1_000.0)).abs() < 1e-12);
        assert!((plate.judgement.missing_fraction - 0.3).abs() < 1e-12);
        assert_eq!(plate.judgement.verdict, Verdict::Pass, "{:?}", plate.judgement.reasons);
        let [one, two] = &plate.observations[..] else { panic!("{plate:?}") };
        assert!((one.value - 0.6).abs() < 1e-12 && (one.sem.unwrap() - 0.1).abs() < 1e-12);
        assert_eq!((one.replicates, one.hit), (2, Some(true)));
        assert_eq!((two.value, two.sem, two.replicates, two.hit), (0.0, None, 1, Some(false)));
        assert_eq!(plate.unmeasured, [ProposalId(Uuid::from_u128(3))]);
    }

    #[test]
    fn a_well_that_nothing_was_dispensed_into_is_missing() {
        let well: Well = "A1".parse().unwrap();
        let map =
            [MapWell { well, role: Role::Sample, proposal: Some(ProposalId(Uuid::nil())), replicate: 1 }];
        let readings = [Reading { well, channel: "signal".into(), value: 1.0 }];
        let (objective, qc) = (objective(HitRule::AtLeast(0.5)), Qc::default());
        let input = AssessInput {
            format: PlateFormat::Wells384,
            map: &map,
            transfers: &[],
            readings: &readings,
            objective: &objective,
            readouts: &[],
            qc: &qc,
        };
        let plate = assess(&input);
        assert_eq!((plate.judgement.missing_fraction, plate.unmeasured.len()), (1.0, 1));
    }

    #[test]
    fn what_nobody_called_is_missing_where_a_channel_calls_hits() {
        use Role::{NegativeControl as N, PositiveControl as P, Sample as S};
        let whole = Some(1_000);
        let controls = [
            (N, None, whole, Some(90.0), None),
            (N, None, whole, Some(110.0), None),
            (P, None, whole, Some(1_090.0), None),
            (P, None, whole, Some(1_110.0), None),
        ];
        let samples = [
            (S, Some(1), whole, Some(600.0), Some(f64::NAN)),
            (S, Some(2), whole, Some(600.0), None),
            (S, Some(3), whole, Some(600.0), Some(0.0)),
        ];
        let rows: Vec<Row> = controls.into_iter().chain(samples).collect();
        let qc = Qc { maximum_missing_fraction: 0.2, maximum_control_drift: 1.0, ..Qc::default() };
        let plate = assessed(&rows, HitRule::Channel("call".into()), &qc);
        assert_eq!(plate.judgement.verdict, Verdict::Fail, "{:?}", plate.judgement);
        assert!((plate.judgement.missing_fraction - 2.0 / 7.0).abs() < 1e-12);
        assert_eq!(plate.observations.len(), 1);
        assert_eq!(plate.unmeasured.len(), 2);
        let by_threshold = assessed(&rows, HitRule::AtLeast(0.4), &qc);
        assert_eq!((by_threshold.judgement.verdict, by_threshold.observations.len()), (Verdict::Pass, 3));
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let odd = prop_oneof![
            4 => -1e3..1e3f64,
            1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MAX, f64::MIN, 5e-324]),
        ];
        let row = (
            0usize..3,
            0u128..5,
            prop::option::of(0u32..2_000),
            prop::option::of(odd.clone()),
            prop::option::of(odd),
        );
        let row = row.prop_map(|(role, id, delivered, signal, call)| {
            let role = Role::ALL[role];
            (role, (role == Role::Sample).then_some(id), delivered, signal, call)
        });
        prop::collection::vec(row, 0..96)
    }

    proptest! {
        #[test]
        fn whatever_a_reader_says_ends_in_numbers_or_a_failed_plate(rows in rows(), robust: bool, rule in 0usize..4) {
            let hit = match rule {
                0 => HitRule::Channel("call".into()),
                1 => HitRule::AtLeast(0.5),
                2 => HitRule::AtMost(0.5),
                _ => HitRule::TwoSided(0.5),
            };
            let plate = assessed(&rows, hit, &Qc { robust, ..Qc::default() });
            prop_assert_eq!(plate.judgement.verdict == Verdict::Fail, !plate.judgement.reasons.is_empty());
            prop_assert!(plate.judgement.z_prime.is_none_or(f64::is_finite));
            prop_assert!(plate.judgement.control_drift.is_none_or(f64::is_finite));
            prop_assert!((0.0..=1.0).contains(&plate.judgement.missing_fraction));
            prop_assert!(plate.normalised.values().all(|v| v.is_finite()));
            prop_assert!(plate.observations.iter().all(|o| o.value.is_finite() && o.sem.is_none_or(f64::is_finite) && o.replicates > 0));
            if plate.judgement.z_prime.is_none() {
                prop_assert_eq!(plate.judgement.verdict, Verdict::Fail);
            }
            let asked: std::collections::BTreeSet<u128> = rows.iter().filter_map(|row| row.1).collect();
            prop_assert_eq!(plate.observations.len() + plate.unmeasured.len(), asked.len());
        }
    }
}
