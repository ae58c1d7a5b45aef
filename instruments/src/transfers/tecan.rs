//! Tecan worklist (.gwl), read by EVOware and FluentControl. The device gives no result in this
//! format: completion comes from its log.

use super::{TransferList, WriteError, WriteProblem};
use crate::labware::{Nanolitres, Well};
use crate::transfers::ListedPlate;

const TARGET: &str = "Tecan gwl";
/// The format has two decimals of a microlitre.
const STEP_TENTHS_NL: u32 = 100;

/// Comment with the job, then per transfer aspirate, dispense, wash (`W1`, or a new tip where the
/// liquid class uses disposable ones). Lines end in CRLF.
pub fn tecan_gwl(list: &TransferList) -> Result<String, WriteError> {
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
            let (barcode, rack_type) = (&plate.barcode, plate.labware.load_name);
            let class = &transfer.liquid_class;
            // verb;RackLabel;RackID;RackType;Position;TubeID;Volume;LiquidClass;TipType;TipMask;ForcedRackType
            text.push_str(&format!(
                "{verb};{barcode};{barcode};{rack_type};{position};;{volume};{class};;;\r\n"
            ));
        }
        text.push_str("W1;\r\n");
    }
    Ok(text)
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
        let gwl = tecan_gwl(&example_list()).unwrap();
        assert_eq!(gwl.matches("\r\n").count(), gwl.matches('\n').count());
        insta::assert_snapshot!(gwl.replace("\r\n", "\n"), @r"
        C;0190d000-0000-7000-8000-000000000001
        A;LIB-1;LIB-1;corning_384_wellplate_112ul_flat;17;;2.50;water;;;
        D;P-1;P-1;corning_384_wellplate_112ul_flat;18;;2.50;water;;;
        W1;
        A;LIB-2;LIB-2;nest_96_wellplate_200ul_flat;96;;1.00;water;;;
        D;P-1;P-1;corning_384_wellplate_112ul_flat;18;;1.00;water;;;
        W1;
        A;LIB-1;LIB-1;corning_384_wellplate_112ul_flat;384;;10.05;water;;;
        D;P-1;P-1;corning_384_wellplate_112ul_flat;367;;10.05;water;;;
        W1;
        ");
    }

    #[test]
    fn a_volume_that_two_decimals_cannot_say_is_refused() {
        let mut dispense = example();
        dispense.transfers[2].volume_nl = 2_505;
        let list = TransferList::check(job(), &dispense).unwrap();
        let error = tecan_gwl(&list).unwrap_err();
        insta::assert_snapshot!(error, @"transfer 2 cannot be written for Tecan gwl: 2505 nL is not a multiple of 100 tenths of a nanolitre, the smallest step");
    }
}
