//! What was asked of the liquid handler against what it reported, well by well.

use instruments::labware::Well;
use jobs::work::physical::{Dispense, DispenseResult, TransferReport};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A transfer that brought less than this share of its volume is short. Four times the dispense CV of 5 %
/// that is asked of a liquid handler: chance alone does not reach it.
pub const LEAST_DELIVERED_SHARE: f64 = 0.8;

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
    /// One of its transfers brought too little ([`LEAST_DELIVERED_SHARE`]); by how much in all.
    Short {
        by_nl: u64,
    },
    /// One of its transfers did not happen, or the device says that it went wrong.
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
pub fn transfer_records(
    asked: &Dispense,
    reported: &DispenseResult,
) -> Result<Vec<TransferRecord>, NotADestination> {
    let reports: BTreeMap<u32, &TransferReport> = reported.transfers.iter().map(|r| (r.index, r)).collect();
    let mut records = transfer_records_as_asked(asked)?;
    for record in &mut records {
        match reports.get(&record.index) {
            Some(report) => {
                record.actual_nl = report.actual_nl;
                record.error.clone_from(&report.error);
            }
            None => record.error = Some("the device's report does not mention it".to_owned()),
        }
    }
    Ok(records)
}

/// The transfers of a dispense that a person, who looked, says was done: nobody measured its volumes.
pub fn transfer_records_as_asked(asked: &Dispense) -> Result<Vec<TransferRecord>, NotADestination> {
    let record = |(transfer, index): (&jobs::work::physical::Transfer, u32)| {
        let well = &transfer.destination_well;
        Ok(TransferRecord {
            index,
            source_barcode: transfer.source_barcode.clone(),
            source_well: transfer.source_well.clone(),
            destination_well: well.parse().map_err(|_| NotADestination { index, well: well.clone() })?,
            intended_nl: transfer.volume_nl,
            actual_nl: None,
            error: None,
        })
    };
    asked.transfers.iter().zip(0..).map(record).collect()
}

/// What each destination well got, over all dispenses onto its plate. A device that does not say how much it
/// delivered is believed to have delivered what was asked.
pub fn reconcile(records: &[TransferRecord]) -> BTreeMap<Well, Delivery> {
    let mut wells = BTreeMap::new();
    for record in records {
        let well = wells.entry(record.destination_well).or_insert(Delivery::Ok);
        *well = match (*well, delivery(record)) {
            (Delivery::Failed, _) | (_, Delivery::Failed) => Delivery::Failed,
            (Delivery::Short { by_nl: a }, Delivery::Short { by_nl: b }) => Delivery::Short { by_nl: a + b },
            (Delivery::Ok, other) | (other, Delivery::Ok) => other,
        };
    }
    wells
}

fn delivery(record: &TransferRecord) -> Delivery {
    let actual = record.actual_nl.unwrap_or(record.intended_nl);
    if record.error.is_some() || (actual == 0 && record.intended_nl > 0) {
        Delivery::Failed
    } else if f64::from(actual) < LEAST_DELIVERED_SHARE * f64::from(record.intended_nl) {
        Delivery::Short { by_nl: u64::from(record.intended_nl - actual) }
    } else {
        Delivery::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Digest;
    use jobs::work::physical::Transfer;

    fn dispense(destinations: &[&str]) -> Dispense {
        let transfer = |well: &&str| Transfer {
            source_barcode: "LIB-1".into(),
            source_well: "A1".into(),
            destination_barcode: "ASSAY-1".into(),
            destination_well: (*well).into(),
            volume_nl: 1_000,
            liquid_class: "default".into(),
        };
        Dispense {
            deck: Vec::new(),
            tip_rack_slots: Vec::new(),
            transfers: destinations.iter().map(transfer).collect(),
        }
    }

    fn result(reports: &[(u32, Option<u32>, Option<&str>)]) -> DispenseResult {
        let report = |(index, actual_nl, error): &(u32, Option<u32>, Option<&str>)| TransferReport {
            index: *index,
            actual_nl: *actual_nl,
            error: error.map(str::to_owned),
        };
        DispenseResult {
            transfers: reports.iter().map(report).collect(),
            device_run_id: "run".into(),
            recovered_from_error: false,
            raw: Digest::of(b""),
        }
    }

    #[test]
    fn each_well_is_as_good_as_its_worst_transfer() {
        // B2 is a pair whose second edit failed; B3 a pair of two short ones; B5 was not mentioned.
        let asked = dispense(&["B1", "B2", "B2", "B3", "B3", "B4", "B5", "B6"]);
        let reported = result(&[
            (0, Some(1_000), None),
            (1, Some(1_000), None),
            (2, Some(1_000), Some("tip lost")),
            (3, Some(799), None),
            (4, Some(500), None),
            (5, Some(0), None),
            (7, None, None),
        ]);
        let wells = reconcile(&transfer_records(&asked, &reported).unwrap());
        let wells: Vec<(String, Delivery)> = wells.into_iter().map(|(w, d)| (w.to_string(), d)).collect();
        let expect = [
            ("B1", Delivery::Ok),
            ("B2", Delivery::Failed),
            ("B3", Delivery::Short { by_nl: 701 }),
            ("B4", Delivery::Failed),
            ("B5", Delivery::Failed),
            ("B6", Delivery::Ok),
        ];
        assert_eq!(wells, expect.map(|(w, d)| (w.to_owned(), d)));
    }

    #[test]
    fn a_well_at_the_limit_is_not_short() {
        let records = |nl| transfer_records(&dispense(&["A1"]), &result(&[(0, Some(nl), None)])).unwrap();
        let well: Well = "A1".parse().unwrap();
        assert_eq!(reconcile(&records(800))[&well], Delivery::Ok);
        assert_eq!(reconcile(&records(1_400))[&well], Delivery::Ok);
        assert_eq!(reconcile(&records(799))[&well], Delivery::Short { by_nl: 201 });
    }

    #[test]
    fn a_destination_that_is_no_well_is_refused() {
        let refused = transfer_records_as_asked(&dispense(&["A1", "ZZ9"])).unwrap_err();
        assert_eq!(refused, NotADestination { index: 1, well: "ZZ9".into() });
    }
}
