//! What stands in a request.

use super::name::{TemplateError, Words};
use super::settings::RequestForm;
use crate::transfers::{
    EchoPlateTypes, ListedPlate, ListedTransfer, TransferList, WriteError, biomek_csv, echo_csv, tecan_gwl,
};
use jobs::work::physical::Read;

/// The list could not be put into the device's words.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("the settings hold no form for this device")]
    Form,
}

pub(super) fn worklist(form: &RequestForm, list: &TransferList, id: &str) -> Result<String, RequestError> {
    Ok(match form {
        RequestForm::TecanGwl { rack_types } => tecan_gwl(list, rack_types)?,
        RequestForm::EchoCsv { model, source_plate_types, destination_plate_types, .. } => {
            let types = EchoPlateTypes {
                source: source_plate_types.clone(),
                destination: destination_plate_types.clone(),
            };
            echo_csv(list, (*model).into(), &types)?
        }
        RequestForm::BiomekCsv => biomek_csv(list)?,
        RequestForm::TransferTemplate { header, row, line_end } => {
            let end = line_end.as_str();
            let mut text = String::new();
            if !header.is_empty() {
                text.push_str(header);
                text.push_str(end);
            }
            for (index, transfer) in list.transfers.iter().enumerate() {
                let ends = (list.source(transfer), list.destination(transfer));
                text.push_str(&of_transfer(id, index, transfer, ends).fill(row)?);
                text.push_str(end);
            }
            text
        }
        RequestForm::Text { .. } => return Err(RequestError::Form),
    })
}

fn of_transfer(
    id: &str,
    index: usize,
    transfer: &ListedTransfer,
    (source, destination): (&ListedPlate, &ListedPlate),
) -> Words {
    let position = |plate: &ListedPlate, well| {
        plate
            .labware
            .format
            .column_major_index(well)
            .map_or_else(|_| String::new(), |index| (index + 1).to_string())
    };
    Words::of([
        ("id", id.to_owned()),
        ("number", (index + 1).to_string()),
        ("source_barcode", source.barcode.to_string()),
        ("source_slot", source.slot.clone()),
        ("source_labware", source.labware.load_name.to_owned()),
        ("source_well", transfer.source_well.to_string()),
        ("source_position", position(source, transfer.source_well)),
        ("destination_barcode", destination.barcode.to_string()),
        ("destination_slot", destination.slot.clone()),
        ("destination_labware", destination.labware.load_name.to_owned()),
        ("destination_well", transfer.destination_well.to_string()),
        ("destination_position", position(destination, transfer.destination_well)),
        ("volume_nl", transfer.volume.0.to_string()),
        ("volume_ul", transfer.volume.microlitres_text()),
        ("liquid_class", transfer.liquid_class.clone()),
    ])
}

/// Whether every word of a template's row means something.
pub(super) fn check_row(row: &str) -> Result<(), TemplateError> {
    const WORDS: [&str; 15] = [
        "id",
        "number",
        "source_barcode",
        "source_slot",
        "source_labware",
        "source_well",
        "source_position",
        "destination_barcode",
        "destination_slot",
        "destination_labware",
        "destination_well",
        "destination_position",
        "volume_nl",
        "volume_ul",
        "liquid_class",
    ];
    Words::of(WORDS.map(|word| (word, String::new()))).fill(row).map(drop)
}

pub(super) fn of_read(form: &RequestForm, read: &Read, id: &str) -> Result<String, RequestError> {
    let RequestForm::Text { text } = form else { return Err(RequestError::Form) };
    Ok(words_of_read(read, id).fill(text)?)
}

/// Whether every word of a reader's text means something.
pub(super) fn check_text(text: &str) -> Result<(), TemplateError> {
    let words = ["barcode", "id", "slot", "labware", "channels"];
    Words::of(words.map(|word| (word, String::new()))).fill(text).map(drop)
}

fn words_of_read(read: &Read, id: &str) -> Words {
    Words::of([
        ("barcode", read.plate.barcode.clone()),
        ("id", id.to_owned()),
        ("slot", read.at.slot.clone()),
        ("labware", read.plate.labware.clone()),
        ("channels", read.channels.join(",")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::folder::settings::LineEnd;
    use jobs::JobId;
    use jobs::work::physical::{DeckPlate, Dispense, Location, PlateRef, Transfer};

    fn list() -> TransferList {
        let plate = |slot: &str, barcode: &str| DeckPlate {
            slot: slot.to_owned(),
            plate: PlateRef {
                barcode: barcode.to_owned(),
                labware: "nest_96_wellplate_200ul_flat".to_owned(),
            },
        };
        let transfer = Transfer {
            source_barcode: "LIB-1".to_owned(),
            source_well: "B2".to_owned(),
            destination_barcode: "P-1".to_owned(),
            destination_well: "H12".to_owned(),
            volume_nl: 2_500,
            liquid_class: "water".to_owned(),
        };
        let job = Dispense {
            deck: vec![plate("1", "P-1"), plate("2", "LIB-1")],
            tip_rack_slots: vec![],
            transfers: vec![transfer],
        };
        TransferList::check(JobId::fresh(), &job).unwrap()
    }

    #[test]
    fn a_template_writes_a_line_a_transfer_in_the_devices_own_columns() {
        let form = RequestForm::TransferTemplate {
            header: "Seq;From;To;uL".to_owned(),
            row: "{number};{source_slot}/{source_position};{destination_barcode}:{destination_well};{volume_ul}".to_owned(),
            line_end: LineEnd::Lf,
        };
        assert_eq!(worklist(&form, &list(), "7-1").unwrap(), "Seq;From;To;uL\n1;2/10;P-1:H12;2.5\n");
        // What is checked when the settings are read is what is written later.
        let RequestForm::TransferTemplate { row, .. } = form else { unreachable!() };
        assert!(check_row(&row).is_ok() && check_row("{volume}").is_err());
    }

    #[test]
    fn every_word_that_passes_the_check_can_be_written() {
        let list = list();
        let ends = (list.source(&list.transfers[0]), list.destination(&list.transfers[0]));
        for word in of_transfer("7", 0, &list.transfers[0], ends).0.keys() {
            assert!(check_row(&format!("{{{word}}}")).is_ok(), "{word}");
        }
        let read = Read {
            plate: PlateRef { barcode: "P-1".to_owned(), labware: "x".to_owned() },
            at: Location { device: "reader-1".to_owned(), slot: "1".to_owned() },
            channels: vec!["signal".to_owned(), "atp".to_owned()],
        };
        for word in words_of_read(&read, "7").0.keys() {
            assert!(check_text(&format!("{{{word}}}")).is_ok(), "{word}");
        }
        let form = RequestForm::Text { text: "read {barcode} {channels}".to_owned() };
        assert_eq!(of_read(&form, &read, "7").unwrap(), "read P-1 signal,atp");
    }
}
