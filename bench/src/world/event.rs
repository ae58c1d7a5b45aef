//! What can happen in the world. One JSON line each in the truth log; volumes in nanolitres.

use super::{Place, Role};
use crate::liquid::Mixture;
use crate::volume::Volume;
use chrono::{DateTime, Utc};
use instruments::labware::Well;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of the truth log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    pub at: DateTime<Utc>,
    #[serde(flatten)]
    pub event: Event,
}

/// A well of a plate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlateWell {
    pub barcode: String,
    pub well: Well,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line: the laws of this world.
    WorldCreated {
        laws: serde_json::Value,
    },
    /// The process began anew on this log; whatever was under way has an unknown end.
    Restarted,
    PlateCreated(PlateCreated),
    /// A device was asked to do something and began.
    OperationStarted {
        device: String,
        id: String,
        request: serde_json::Value,
    },
    OperationFinished {
        device: String,
        id: String,
        error: Option<OperationError>,
    },
    PlateMoved {
        operation: String,
        barcode: String,
        from: Place,
        to: Place,
    },
    Incubated {
        operation: String,
        barcode: String,
        slot: String,
        temperature_celsius: f64,
        co2_percent: f64,
        hours: f64,
    },
    PlateRead {
        operation: String,
        barcode: String,
        slot: String,
        channels: Vec<String>,
        sha256: String,
    },
    Transferred(Transferred),
    /// A fault on request: every reading of the plate is multiplied, and blurred.
    PlateAffected {
        barcode: String,
        reading_factor: f64,
        reading_extra_cv: f64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateCreated {
    pub barcode: String,
    pub labware: String,
    #[serde(flatten)]
    pub role: Role,
    pub to: Place,
    /// In every well that `wells` does not name.
    #[serde(default, skip_serializing_if = "Mixture::is_empty")]
    pub fill: Mixture,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wells: BTreeMap<Well, Mixture>,
}

/// One tip went from one well to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transferred {
    /// The liquid handler's name for its run.
    pub run: String,
    /// Of the transfer in the run's picklist, from 0.
    pub index: u32,
    /// What really stood in the source slot; `None` where nothing did.
    pub source: Option<PlateWell>,
    /// What really stood in the destination slot; `None` where nothing did, and the liquid was spilt.
    pub destination: Option<PlateWell>,
    pub intended_nl: Volume,
    pub aspirated_nl: Volume,
    pub dispensed_nl: Volume,
    /// Left the tip and reached no well: no plate there, or the well was full.
    pub spilt_nl: Volume,
    /// What left the source.
    pub drawn: Mixture,
    /// What reached the destination.
    pub delivered: Mixture,
    /// The transfer was made to miss: the liquid went to the trash with the tip.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
}

/// Why an operation failed, as its device says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationError {
    pub code: String,
    pub detail: String,
}
