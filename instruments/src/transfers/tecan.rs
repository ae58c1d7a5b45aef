//! Tecan worklist (.gwl), read by EVOware and FluentControl. The device gives no result in this
//! format: completion comes from its log.

use super::{LONGEST_LABEL, ListedPlate, PlateTypes, TransferList, WriteError, WriteProblem};
use crate::labware::{Nanolitres, Well};

const TARGET: &str = "Tecan gwl";
/// The format has two decimals of a microlitre.
const STEP_TENTHS_NL: u32 = 100;

/// Comment with the job, then per transfer aspirate, dispense, wash (`W1`, or a new tip where the
/// liquid class uses disposable ones). Lines end in CRLF.
///
/// Labware is found by its label on the worktable, which is the plate's slot; its id is the barcode, for a scanner. The
/// type, which is a name of the vendor's own, is left out but where `rack_types` says it.
pub fn tecan_gwl(list: &TransferList, rack_types: &PlateTypes) -> Result<String, WriteError> {
    let mut text = format!("C;{}\r\n", list.job_id);
    for (index, transfer) in list.transfers.iter().enumerate() {
        let volume =
            volume_text(transfer.volume).map_err(|problem| WriteError { index, target: TARGET, problem })?;
        let ends = [
            ('A', list.source(transfer), transfer.source_well),
            ('D', list.destination(transfer), transfer.destination_well),
        ];
        for (verb, plate, well) in ends {
            let position = position(plate, well);
            let rack_type = rack_types.get(plate.labware.load_name).map_or("", String::as_str);
            let (slot, barcode) = (plate.slot.as_str(), plate.barcode.as_str());
            for (what, text) in [("slot", slot), ("barcode", barcode)] {
                let problem = || WriteProblem::Label { what, text: text.to_owned() };
                is_label(text).then_some(()).ok_or_else(|| WriteError {
                    index,
                    target: TARGET,
                    problem: problem(),
                })?;
            }
            let class = &transfer.liquid_class;
            // verb;RackLabel;RackID;RackType;Position;TubeID;Volume;LiquidClass;TipType;TipMask;ForcedRackType
            text.push_str(&format!(
                "{verb};{slot};{barcode};{rack_type};{position};;{volume};{class};;;\r\n"
            ));
        }
        text.push_str("W1;\r\n");
    }
    Ok(text)
}

/// What the device takes for a label, an id or a type of labware.
pub fn is_label(text: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&text.chars().count())
        && text.trim() == text
        && text.chars().all(|c| !c.is_control() && c != ';')
}

/// Column by column, from 1.
fn position(plate: &ListedPlate, well: Well) -> u32 {
    let from_zero = plate
        .labware
        .format
        .column_major_index(well)
        .expect("`TransferList::check` looked the well up on this plate");
    from_zero + 1
}

fn volume_text(volume: Nanolitres) -> Result<String, WriteProblem> {
    if volume.0.is_multiple_of(STEP_TENTHS_NL / 10) {
        Ok(format!("{}.{:02}", volume.0 / 1000, volume.0 % 1000 / 10))
    } else {
        Err(WriteProblem::VolumeStep { volume, step_tenths_nl: STEP_TENTHS_NL })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfers::list::tests::{example, example_list, job};

    #[test]
    fn golden() {
        let types =
            PlateTypes::from([("nest_96_wellplate_200ul_flat".to_owned(), "96 Well Flat".to_owned())]);
        let gwl = tecan_gwl(&example_list(), &types).unwrap();
        assert_eq!(gwl.matches("\r\n").count(), gwl.matches('\n').count());
        insta::assert_snapshot!(gwl.replace("\r\n", "\n"), @r"
        C;0190d000-0000-7000-8000-000000000001
        A;2;LIB-1;;17;;2.50;water;;;
        D;1;P-1;;18;;2.50;water;;;
        W1;
        A;3;LIB-2;96 Well Flat;96;;1.00;water;;;
        D;1;P-1;;18;;1.00;water;;;
        W1;
        A;2;LIB-1;;384;;10.05;water;;;
        D;1;P-1;;367;;10.05;water;;;
        W1;
        ");
    }

    #[test]
    fn a_volume_that_two_decimals_cannot_say_is_refused() {
        let mut dispense = example();
        dispense.transfers[2].volume_nl = 2_505;
        let list = TransferList::check(job(), &dispense).unwrap();
        let error = tecan_gwl(&list, &PlateTypes::new()).unwrap_err();
        insta::assert_snapshot!(error, @"transfer 2 cannot be written for Tecan gwl: 2505 nL is not a multiple of 100 tenths of a nanolitre, the smallest step");
    }

    #[test]
    fn a_label_that_the_device_would_cut_short_is_refused() {
        let refused = |change: fn(&mut jobs::work::physical::Dispense)| {
            let mut dispense = example();
            change(&mut dispense);
            let list = TransferList::check(job(), &dispense).unwrap();
            tecan_gwl(&list, &PlateTypes::new()).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(
            refused(|dispense| dispense.deck[0].slot = "Plate on carrier 12, site 3 (top)".to_owned()),
            "transfer 0 cannot be written for Tecan gwl: slot \"Plate on carrier 12, site 3 (top)\" is not 1 to 32 printable characters without ';'"
        );
        assert!(refused(|dispense| dispense.deck[1].slot = "a;b".to_owned()).contains("slot \"a;b\""));
        assert_eq!(
            refused(|dispense| dispense.deck[0].slot = "Plate on carrier 12, site 3 (up)".to_owned()),
            ""
        );
        let long = |dispense: &mut jobs::work::physical::Dispense| {
            let barcode = "P".repeat(33);
            dispense.deck[0].plate.barcode.clone_from(&barcode);
            dispense
                .transfers
                .iter_mut()
                .for_each(|transfer| transfer.destination_barcode.clone_from(&barcode));
        };
        assert!(refused(long).contains("barcode \"PPP"));
    }
}
