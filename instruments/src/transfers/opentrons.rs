//! The picklist of the vetted Opentrons protocol (`protocols/cherrypick.py`).

use super::{TransferList, WriteError, WriteProblem, csv_line};
use crate::labware::Nanolitres;

const TARGET: &str = "the Opentrons cherry-pick protocol";
const TIPS_PER_RACK: usize = 96;
/// What the protocol's pipette (`p20_single_gen2`) moves in one stroke.
const SMALLEST: Nanolitres = Nanolitres(1_000);
const LARGEST: Nanolitres = Nanolitres(20_000);

/// The header of the picklist, in its order.
pub const PICKLIST_COLUMNS: [&str; 11] = [
    "source_slot",
    "source_labware",
    "source_barcode",
    "source_well",
    "destination_slot",
    "destination_labware",
    "destination_barcode",
    "destination_well",
    "volume_ul",
    "liquid_class",
    "tip_rack_slots",
];

/// One row per transfer, in the list's order. `tip_rack_slots`: slots that hold full tip racks.
pub fn opentrons_picklist(list: &TransferList, tip_rack_slots: &[String]) -> Result<String, WriteError> {
    let racks = tip_rack_slots.join(" ");
    let tips = tip_rack_slots.len().saturating_mul(TIPS_PER_RACK);
    let mut text = csv_line(PICKLIST_COLUMNS, "\n");
    for (index, transfer) in list.transfers.iter().enumerate() {
        let fail = |problem| WriteError { index, target: TARGET, problem };
        if index >= tips {
            return Err(fail(WriteProblem::OutOfTips { tips }));
        }
        let volume = transfer.volume;
        if !(SMALLEST..=LARGEST).contains(&volume) {
            return Err(fail(WriteProblem::VolumeRange { volume, smallest: SMALLEST, largest: LARGEST }));
        }
        let (source, destination) = (list.source(transfer), list.destination(transfer));
        for plate in [source, destination] {
            if plate.slot.is_empty() {
                return Err(fail(WriteProblem::NoSlot(plate.barcode.to_string())));
            }
        }
        text.push_str(&csv_line(
            [
                &source.slot,
                source.labware.load_name,
                source.barcode.as_str(),
                &transfer.source_well.to_string(),
                &destination.slot,
                destination.labware.load_name,
                destination.barcode.as_str(),
                &transfer.destination_well.to_string(),
                &volume.microlitres_text(),
                &transfer.liquid_class,
                &racks,
            ],
            "\n",
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::CHERRYPICK;
    use crate::transfers::list::tests::{example, example_list, job};

    fn racks() -> Vec<String> {
        vec!["10".to_owned(), "11".to_owned()]
    }

    #[test]
    fn golden() {
        insta::assert_snapshot!(opentrons_picklist(&example_list(), &racks()).unwrap(), @r"
        source_slot,source_labware,source_barcode,source_well,destination_slot,destination_labware,destination_barcode,destination_well,volume_ul,liquid_class,tip_rack_slots
        2,corning_384_wellplate_112ul_flat,LIB-1,A2,1,corning_384_wellplate_112ul_flat,P-1,B2,2.5,water,10 11
        3,nest_96_wellplate_200ul_flat,LIB-2,H12,1,corning_384_wellplate_112ul_flat,P-1,B2,1,water,10 11
        2,corning_384_wellplate_112ul_flat,LIB-1,P24,1,corning_384_wellplate_112ul_flat,P-1,O23,10.05,water,10 11
        ");
    }

    #[test]
    fn the_protocol_asks_for_exactly_these_columns() {
        for column in PICKLIST_COLUMNS {
            assert!(CHERRYPICK.source.contains(&format!("    \"{column}\",\n")), "{column}");
        }
    }

    #[test]
    fn what_the_pipette_cannot_move_is_refused() {
        for nanolitres in [999, 20_001] {
            let mut dispense = example();
            dispense.transfers[1].volume_nl = nanolitres;
            let list = TransferList::check(job(), &dispense).unwrap();
            assert_eq!(opentrons_picklist(&list, &racks()).unwrap_err().index, 1);
        }
    }

    #[test]
    fn each_transfer_needs_a_tip() {
        let mut dispense = example();
        dispense.transfers = std::iter::repeat_n(dispense.transfers[0].clone(), 97).collect();
        let list = TransferList::check(job(), &dispense).unwrap();
        assert!(opentrons_picklist(&list, &racks()).is_ok());
        let error = opentrons_picklist(&list, &["10".to_owned()]).unwrap_err();
        assert_eq!((error.index, error.problem), (96, WriteProblem::OutOfTips { tips: 96 }));
    }
}
