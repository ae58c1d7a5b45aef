//! One plate, from its raw readings to what may be learnt of it.

use super::judge::Judgement;
use super::observe::Observed;
use super::reconcile::TransferRecord;
use crate::campaigns::spec::{ObjectiveSpec, Qc};
use crate::ids::ProposalId;
use crate::planning::Role;
use instruments::labware::{PlateFormat, Well};
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
    /// On the map without one usable well (or on a plate whose controls say nothing).
    pub unmeasured: Vec<ProposalId>,
}

/// Reconciles, normalises, judges and observes one plate.
pub fn assess(input: &AssessInput) -> Assessment {
    todo!("{input:?}")
}
