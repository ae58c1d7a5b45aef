//! Work for devices and hands. Volumes in nanolitres, wells unpadded (`A1`), plates by barcode.
//!
//! Intent (`Transfer`) and observation (`TransferReport`) are different types: what was asked is never
//! written where it says what the device reported.

use crate::blob::Digest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A plate as it stands on a deck or in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlateRef {
    pub barcode: String,
    /// Labware definition by its Opentrons load name, e.g. `corning_384_wellplate_112ul_flat`.
    pub labware: String,
}

/// Where a plate can stand: a device (or `storage`, `waste`) and one of its slots. In `storage` and
/// `waste` the slot is the plate's barcode: there is always room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Location {
    pub device: String,
    pub slot: String,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.device, self.slot)
    }
}

/// A plate in a deck slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeckPlate {
    pub slot: String,
    #[serde(flatten)]
    pub plate: PlateRef,
}

/// One intended transfer of liquid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    pub source_barcode: String,
    pub source_well: String,
    pub destination_barcode: String,
    pub destination_well: String,
    pub volume_nl: u32,
    pub liquid_class: String,
}

/// Carry out `transfers` on one deck, as one device run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dispense {
    /// Every plate the run touches, where the moves before it have put it.
    pub deck: Vec<DeckPlate>,
    /// Slots that hold a full tip rack.
    pub tip_rack_slots: Vec<String>,
    pub transfers: Vec<Transfer>,
}

/// What the device said of one transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransferReport {
    /// Index into `Dispense::transfers`.
    pub index: u32,
    /// `None` when the device did not say.
    pub actual_nl: Option<u32>,
    /// The device's own words when the transfer failed or had to be recovered.
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DispenseResult {
    /// One per intended transfer, in its order.
    pub transfers: Vec<TransferReport>,
    /// The device's own name for the run.
    pub device_run_id: String,
    /// The run entered error recovery: its wells are flagged.
    pub recovered_from_error: bool,
    /// The device's full record of the run (commands and errors).
    pub raw: Digest,
}

/// Bring one plate from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlateMove {
    #[serde(flatten)]
    pub plate: PlateRef,
    pub from: Location,
    pub to: Location,
}

/// Moves carried out in order: unload a deck, load the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Move {
    pub moves: Vec<PlateMove>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoveResult {
    /// Where each plate stands now, as scanned by the mover: barcode at location.
    pub arrived: Vec<Arrival>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Arrival {
    pub barcode: String,
    pub at: Location,
}

/// Begin to incubate the plate that stands in `at`. Ends as soon as the incubation has begun; when it
/// is over is the business of the next job's `not_before`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Incubate {
    #[serde(flatten)]
    pub plate: PlateRef,
    pub at: Location,
    pub temperature_celsius: f64,
    pub co2_percent: f64,
    pub hours: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncubateResult {
    /// The device's clock.
    pub started_at: DateTime<Utc>,
    pub temperature_celsius: f64,
}

/// Read the plate that stands in `at`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Read {
    #[serde(flatten)]
    pub plate: PlateRef,
    pub at: Location,
    /// Channels to measure, by the reader's names.
    pub channels: Vec<String>,
}

/// The reader's file as it came, kept by content; parsed by the orchestrator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadResult {
    pub raw: Digest,
    /// Which parser of `instruments` reads it, e.g. `plate_csv`.
    pub format: String,
    /// What the device exported, where `raw` was made of it by a converter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Digest>,
}

/// Something for a person to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Manual {
    pub instruction: String,
    pub plates: Vec<PlateRef>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ManualResult {
    pub note: String,
}
