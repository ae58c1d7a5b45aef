//! What was asked of the liquid handler against what it reported, well by well.

use instruments::labware::Well;
use jobs::work::physical::{Dispense, DispenseResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One transfer, intended and reported side by side: a row of `dispense_record`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRecord {
    /// Index into the transfers of its dispense.
    pub index: u32,
    pub source_barcode: String,
    pub source_well: String,
    pub destination_well: Well,
    pub intended_nl: u32,
    /// `None` when the device did not say.
    pub actual_nl: Option<u32>,
    /// Why it failed, in the device's own words.
    pub error: Option<String>,
}

/// What a well got of what it should have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Ok,
    /// One of its transfers brought too little.
    Short { by_nl: u64 },
    /// One of its transfers did not happen.
    Failed,
}

/// A destination that is no well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transfer {index} goes to {well:?}, which is no well")]
pub struct NotADestination {
    pub index: u32,
    pub well: String,
}

/// Lays the device's report beside the transfers asked for. A transfer that it does not mention has failed.
pub fn transfer_records(asked: &Dispense, reported: &DispenseResult) -> Result<Vec<TransferRecord>, NotADestination> {
    todo!("{asked:?} {reported:?}")
}

/// What each destination well got, over all dispenses onto its plate.
pub fn reconcile(records: &[TransferRecord]) -> BTreeMap<Well, Delivery> {
    todo!("{records:?}")
}
