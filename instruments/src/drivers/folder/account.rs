//! From what a liquid handler says of its run to what we testify of each transfer. Pure.

use super::result::Verdict;
use crate::labware::Well;
use crate::parsers::{EchoReport, EchoTransfer, decode};
use crate::transfers::TransferList;
use jobs::work::physical::TransferReport;
use std::collections::BTreeMap;

/// How much a report may round what was asked for, in nanolitres.
const ROUNDING_NL: f64 = 0.51;

/// From where to where.
type Ends = (String, Well, String, Well);

/// The first word of a file that says no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Succeeded,
    /// With what follows.
    Failed(String),
}

impl Word {
    /// `None`: it says neither.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = decode(bytes);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        let lower = line.to_ascii_lowercase();
        if lower.starts_with("succeeded") {
            return Some(Self::Succeeded);
        }
        let why = line.get("failed".len()..).filter(|_| lower.starts_with("failed"))?;
        Some(Self::Failed(why.trim_start_matches([':', ' ', ',', ';']).chars().take(300).collect()))
    }
}

/// What a report says of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    /// One a transfer, in the list's order.
    pub transfers: Vec<TransferReport>,
    /// Places of those that the report says nothing of: whether they were made is not known.
    pub unmentioned: Vec<usize>,
}

/// Every transfer as done, of which the device says nothing more.
pub(super) fn all_done(list: &TransferList) -> Vec<TransferReport> {
    let done = |(index, _)| TransferReport { index: number(index), actual_nl: None, error: None };
    list.transfers.iter().enumerate().map(done).collect()
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Whether a report is of this list's plates.
pub(super) fn is_of(list: &TransferList, report: &EchoReport) -> Verdict {
    let known = |barcode: &str| list.plates.iter().any(|plate| plate.barcode.as_str() == barcode);
    let stranger =
        report.transfers.iter().find(|row| !known(&row.source_plate) || !known(&row.destination_plate));
    match (report.transfers.is_empty(), stranger) {
        (true, _) => Verdict::Others("it reports no transfer".to_owned()),
        (_, None) if mentions_less(list, report) => Verdict::Incomplete,
        (_, Some(row)) => Verdict::Others(format!(
            "line {}: from plate {} into plate {}",
            row.line, row.source_plate, row.destination_plate
        )),
        _ => Verdict::Ours,
    }
}

/// It may still be written, its last number too.
fn mentions_less(list: &TransferList, report: &EchoReport) -> bool {
    reconcile(list, report).map_or(true, |account| !account.unmentioned.is_empty())
}

/// `Err`: what the device did that was not asked for.
pub(super) fn reconcile(list: &TransferList, report: &EchoReport) -> Result<Account, String> {
    let mut rows: BTreeMap<Ends, Vec<&EchoTransfer>> = BTreeMap::new();
    for row in &report.transfers {
        let ends =
            (row.source_plate.clone(), row.source_well, row.destination_plate.clone(), row.destination_well);
        rows.entry(ends).or_default().push(row);
    }
    let mut asked: BTreeMap<Ends, Vec<usize>> = BTreeMap::new();
    for (index, transfer) in list.transfers.iter().enumerate() {
        let (source, destination) = (list.source(transfer), list.destination(transfer));
        let ends = (
            source.barcode.to_string(),
            transfer.source_well,
            destination.barcode.to_string(),
            transfer.destination_well,
        );
        asked.entry(ends).or_default().push(index);
    }
    if let Some(row) = report.transfers.iter().find(|row| {
        !asked.contains_key(&(
            row.source_plate.clone(),
            row.source_well,
            row.destination_plate.clone(),
            row.destination_well,
        ))
    }) {
        return Err(format!(
            "line {} of its report is a transfer from {} of {} to {} of {}, which was not asked for",
            row.line, row.source_well, row.source_plate, row.destination_well, row.destination_plate
        ));
    }
    let mut transfers: Vec<TransferReport> = all_done(list);
    let mut unmentioned = Vec::new();
    for (ends, indices) in asked {
        let of_ends = rows.remove(&ends).unwrap_or_default();
        for (place, &index) in indices.iter().enumerate() {
            // Rows of the same two wells come in the list's order; the last transfer has what is left.
            let mine = match (indices.len(), place) {
                (1, _) => of_ends.as_slice(),
                (count, place) if place + 1 == count => of_ends.get(place..).unwrap_or_default(),
                (_, place) => of_ends.get(place..=place).unwrap_or_default(),
            };
            let asked_nl = list.transfers.get(index).map_or(0, |transfer| transfer.volume.0);
            if mine.is_empty() {
                unmentioned.push(index);
            }
            if let (Some(report), said) = (transfers.get_mut(index), of_transfer(index, asked_nl, mine)?) {
                *report = said;
            }
        }
    }
    unmentioned.sort_unstable();
    Ok(Account { transfers, unmentioned })
}

fn of_transfer(index: usize, asked_nl: u32, rows: &[&EchoTransfer]) -> Result<TransferReport, String> {
    let index = number(index);
    let Some(first) = rows.first() else {
        let error = Some("the device's report does not mention it".to_owned());
        return Ok(TransferReport { index, actual_nl: None, error });
    };
    // One that failed may stand among the exceptions and among the details.
    let sound = || rows.iter().filter(|row| !row.failed);
    let wanted: f64 =
        if sound().count() > 0 { sound().map(|row| row.transfer_nl).sum() } else { first.transfer_nl };
    if (wanted - f64::from(asked_nl)).abs() > ROUNDING_NL {
        return Err(format!(
            "line {} of its report says that {wanted} nL were to be transferred, not {asked_nl}",
            first.line
        ));
    }
    let failed = rows.iter().find(|row| row.failed);
    // A status without a volume is what the device says of a transfer that it did not make.
    let unclear = sound().find(|row| row.actual_nl.is_none() && row.status.is_some());
    let error = failed
        .or(unclear)
        .map(|row| row.status.clone().unwrap_or_else(|| "the device calls it an exception".to_owned()));
    let counted: Vec<&EchoTransfer> = match failed {
        Some(row) => vec![*row],
        None => sound().copied().collect(),
    };
    let told: Option<Vec<f64>> = counted.iter().map(|row| row.actual_nl).collect();
    let actual_nl = told.map(|all| all.iter().sum::<f64>().round().max(0.0) as u32);
    Ok(TransferReport { index, actual_nl, error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers::echo_report;
    use jobs::JobId;
    use jobs::work::physical::{DeckPlate, Dispense, PlateRef, Transfer};

    /// LIB-1 A1 and A2 into P-1 B1, A3 into B2, and A1 into B1 once more.
    fn list() -> TransferList {
        let plate = |slot: &str, barcode: &str| DeckPlate {
            slot: slot.to_owned(),
            plate: PlateRef {
                barcode: barcode.to_owned(),
                labware: "corning_384_wellplate_112ul_flat".to_owned(),
            },
        };
        let transfer = |(from, to): (&str, &str)| Transfer {
            source_barcode: "LIB-1".to_owned(),
            source_well: from.to_owned(),
            destination_barcode: "P-1".to_owned(),
            destination_well: to.to_owned(),
            volume_nl: 25,
            liquid_class: "water".to_owned(),
        };
        let transfers = [("A1", "B1"), ("A2", "B1"), ("A3", "B2"), ("A1", "B1")].map(transfer).into();
        let job = Dispense {
            deck: vec![plate("1", "P-1"), plate("2", "LIB-1")],
            tip_rack_slots: vec![],
            transfers,
        };
        TransferList::check(JobId::fresh(), &job).unwrap()
    }

    const HEAD: &str = "Source Plate Barcode,Source Well,Destination Plate Barcode,Destination Well,Transfer Volume,Actual Volume,Transfer Status\n";

    /// Rows as `from,to,asked,actual,status`.
    fn report(details: &[&str], exceptions: &[&str]) -> EchoReport {
        let rows = |rows: &[&str]| -> String {
            let row = |row: &&str| {
                let fields: Vec<&str> = row.split(',').collect();
                format!("LIB-1,{},P-1,{},{},{},{}\n", fields[0], fields[1], fields[2], fields[3], fields[4])
            };
            rows.iter().map(row).collect()
        };
        let text = format!(
            "Run ID,7\n\n[EXCEPTIONS]\n{HEAD}{}\n[DETAILS]\n{HEAD}{}",
            rows(exceptions),
            rows(details)
        );
        echo_report(text.as_bytes()).unwrap()
    }

    fn said(report: &EchoReport) -> Vec<(Option<u32>, Option<String>)> {
        let reports = reconcile(&list(), report).unwrap().transfers;
        assert!(reports.iter().enumerate().all(|(place, report)| report.index as usize == place));
        reports.into_iter().map(|report| (report.actual_nl, report.error)).collect()
    }

    #[test]
    fn every_transfer_has_what_the_device_says_of_it() {
        let report = report(
            &["A1,B1,25,25,", "A2,B1,25,24.6,", "A1,B1,25,22.5,"],
            &["A3,B2,25,0,MM1302001: source well is empty"],
        );
        let expected = [
            (Some(25), None),
            (Some(25), None),
            (Some(0), Some("MM1302001: source well is empty".to_owned())),
            (Some(23), None),
        ];
        assert_eq!(said(&report), expected);
        assert_eq!(is_of(&list(), &report), Verdict::Ours);
    }

    #[test]
    fn what_it_does_not_mention_is_told_apart() {
        let part = report(&["A1,B1,25,25,", "A2,B1,25,25,"], &[]);
        let missing = Some("the device's report does not mention it".to_owned());
        assert_eq!(said(&part)[2..], [(None, missing.clone()), (None, missing)]);
        // A1 goes into B1 twice: one row is one of the two.
        assert_eq!(reconcile(&list(), &part).unwrap().unmentioned, [2, 3]);
        assert_eq!(is_of(&list(), &part), Verdict::Incomplete);
        // What is said to have failed is said.
        let failed = report(&["A1,B1,25,25,", "A2,B1,25,25,", "A1,B1,25,25,"], &["A3,B2,25,0,empty"]);
        assert_eq!(reconcile(&list(), &failed).unwrap().unmentioned, [0_usize; 0]);
    }

    #[test]
    fn a_report_whose_last_number_is_cut_may_still_be_written() {
        let cut = report(&["A1,B1,25,25,", "A2,B1,25,25,", "A3,B2,25,25,", "A1,B1,2,,"], &[]);
        assert!(reconcile(&list(), &cut).is_err());
        assert_eq!(is_of(&list(), &cut), Verdict::Incomplete);
    }

    #[test]
    fn a_failure_that_stands_in_both_tables_is_one() {
        let report =
            report(&["A1,B1,25,25,", "A2,B1,25,25,", "A3,B2,25,0,", "A1,B1,25,25,"], &["A3,B2,25,0,empty"]);
        assert_eq!(said(&report)[2], (Some(0), Some("empty".to_owned())));
    }

    #[test]
    fn what_was_not_asked_for_is_no_success() {
        let wrong = reconcile(&list(), &report(&["A9,B1,25,25,"], &[])).unwrap_err();
        assert_eq!(
            wrong,
            "line 8 of its report is a transfer from A9 of LIB-1 to B1 of P-1, which was not asked for"
        );
        let more = reconcile(&list(), &report(&["A2,B1,250,250,"], &[])).unwrap_err();
        assert_eq!(more, "line 8 of its report says that 250 nL were to be transferred, not 25");
    }

    #[test]
    fn a_report_of_other_plates_is_not_this_jobs() {
        let text = format!("[DETAILS]\n{HEAD}LIB-7,A1,P-1,B1,25,25,\n");
        let other = echo_report(text.as_bytes()).unwrap();
        assert_eq!(
            is_of(&list(), &other),
            Verdict::Others("line 3: from plate LIB-7 into plate P-1".to_owned())
        );
    }

    #[test]
    fn a_word_is_one_of_two() {
        assert_eq!(Word::read(b"\xef\xbb\xbfSucceeded\r\n"), Some(Word::Succeeded));
        assert_eq!(
            Word::read(b"\nFAILED: tip not mounted\nmore"),
            Some(Word::Failed("tip not mounted".to_owned()))
        );
        assert_eq!(
            Word::read(b"\xff\xfef\0a\0i\0l\0e\0d\0 \0\xb0\0\r\0\n\0"),
            Some(Word::Failed("\u{b0}".to_owned()))
        );
        assert_eq!(Word::read(b"failed: 4 \xb0C"), Some(Word::Failed("4 \u{b0}C".to_owned())));
        assert_eq!(Word::read(b"failed"), Some(Word::Failed(String::new())));
        for neither in [&b""[..], b"success?", b"\xff\xfe", b"\n\n"] {
            assert_eq!(Word::read(neither), None);
        }
    }
}
