//! Echo picklist (acoustic dispensers). Its output report, read by `parsers::echo_report`, says what
//! was really transferred.

use super::{ListedPlate, PlateTypes, TransferList, WriteError, WriteProblem, csv_line};

/// Decides the size of a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchoModel {
    /// 2.5 nL drops.
    Echo55x,
    /// 2.5 nL drops.
    Echo65x,
    /// 25 nL drops.
    Echo525,
}

impl EchoModel {
    fn name(self) -> &'static str {
        match self {
            Self::Echo55x => "Echo 55x",
            Self::Echo65x => "Echo 65x",
            Self::Echo525 => "Echo 525",
        }
    }

    fn drop_tenths_nl(self) -> u32 {
        match self {
            Self::Echo55x | Self::Echo65x => 25,
            Self::Echo525 => 250,
        }
    }
}

/// The instrument's own names for its plate types, e.g. `384PP_AQ_BP`, `Corning_384_3577`. They say where wells lie: one for
/// another labware sends sound at the wrong pitch. A labware that is drawn from and dispensed into has one of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EchoPlateTypes {
    pub source: PlateTypes,
    pub destination: PlateTypes,
}

/// Where an agent's settings say them.
const SOURCES: &str = "request.says.source_plate_types";
const DESTINATIONS: &str = "request.says.destination_plate_types";

const COLUMNS: [&str; 10] = [
    "Source Plate Name",
    "Source Plate Barcode",
    "Source Plate Type",
    "Source Well",
    "Destination Plate Name",
    "Destination Plate Barcode",
    "Destination Plate Type",
    "Destination Well",
    "Transfer Volume",
    "Sample Comment",
];

/// One row per transfer, volume in nL, in multiples of the model's drop. The comment is the job.
pub fn echo_csv(list: &TransferList, model: EchoModel, types: &EchoPlateTypes) -> Result<String, WriteError> {
    let mut text = csv_line(COLUMNS, "\r\n");
    for (index, transfer) in list.transfers.iter().enumerate() {
        let (volume, step_tenths_nl) = (transfer.volume, model.drop_tenths_nl());
        if !(u64::from(volume.0) * 10).is_multiple_of(u64::from(step_tenths_nl)) {
            let problem = WriteProblem::VolumeStep { volume, step_tenths_nl };
            return Err(WriteError { index, target: model.name(), problem });
        }
        let (from, into) = (list.source(transfer), list.destination(transfer));
        let plate_type = |types, plate, place| {
            type_of(types, plate, place).map_err(|problem| WriteError {
                index,
                target: model.name(),
                problem,
            })
        };
        let source_type = plate_type(&types.source, from, SOURCES)?;
        let destination_type = plate_type(&types.destination, into, DESTINATIONS)?;
        let (source, destination) = (from.barcode.as_str(), into.barcode.as_str());
        text.push_str(&csv_line(
            [
                source,
                source,
                source_type,
                &transfer.source_well.to_string(),
                destination,
                destination,
                destination_type,
                &transfer.destination_well.to_string(),
                &volume.0.to_string(),
                &list.job_id.to_string(),
            ],
            "\r\n",
        ));
    }
    Ok(text)
}

fn type_of<'a>(
    types: &'a PlateTypes,
    plate: &ListedPlate,
    place: &'static str,
) -> Result<&'a str, WriteProblem> {
    let labware = plate.labware.load_name;
    types.get(labware).map(String::as_str).ok_or_else(|| WriteProblem::NoPlateType {
        barcode: plate.barcode.to_string(),
        labware,
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfers::list::tests::{example, example_list, job};

    fn types() -> EchoPlateTypes {
        let of = |types: &[(&str, &str)]| {
            types.iter().map(|(labware, name)| ((*labware).to_owned(), (*name).to_owned())).collect()
        };
        EchoPlateTypes {
            source: of(&[
                ("corning_384_wellplate_112ul_flat", "384PP_AQ_BP"),
                ("nest_96_wellplate_200ul_flat", "96LDV"),
            ]),
            destination: of(&[("corning_384_wellplate_112ul_flat", "Corning_384_3577")]),
        }
    }

    #[test]
    fn a_plate_whose_type_nobody_has_said_is_refused() {
        for (place, sentence) in [
            (
                SOURCES,
                "transfer 1 cannot be written for Echo 65x: plate LIB-2 is a nest_96_wellplate_200ul_flat, and request.says.source_plate_types has no name for that: add nest_96_wellplate_200ul_flat = \"..\" there, as the device calls it",
            ),
            (
                DESTINATIONS,
                "transfer 0 cannot be written for Echo 65x: plate P-1 is a corning_384_wellplate_112ul_flat, and request.says.destination_plate_types has no name for that: add corning_384_wellplate_112ul_flat = \"..\" there, as the device calls it",
            ),
        ] {
            let mut types = types();
            if place == SOURCES {
                types.source.remove("nest_96_wellplate_200ul_flat");
            } else {
                types.destination.clear();
            }
            let error = echo_csv(&example_list(), EchoModel::Echo65x, &types).unwrap_err();
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn golden() {
        let csv = echo_csv(&example_list(), EchoModel::Echo65x, &types()).unwrap();
        insta::assert_snapshot!(csv.replace("\r\n", "\n"), @r"
        Source Plate Name,Source Plate Barcode,Source Plate Type,Source Well,Destination Plate Name,Destination Plate Barcode,Destination Plate Type,Destination Well,Transfer Volume,Sample Comment
        LIB-1,LIB-1,384PP_AQ_BP,A2,P-1,P-1,Corning_384_3577,B2,2500,0190d000-0000-7000-8000-000000000001
        LIB-2,LIB-2,96LDV,H12,P-1,P-1,Corning_384_3577,B2,1000,0190d000-0000-7000-8000-000000000001
        LIB-1,LIB-1,384PP_AQ_BP,P24,P-1,P-1,Corning_384_3577,O23,10050,0190d000-0000-7000-8000-000000000001
        ");
    }

    #[test]
    fn a_volume_between_two_drops_is_refused() {
        let list = |volume_nl| {
            let mut dispense = example();
            dispense.transfers[0].volume_nl = volume_nl;
            TransferList::check(job(), &dispense).unwrap()
        };
        let write = |volume, model| echo_csv(&list(volume), model, &types());
        assert!(write(5, EchoModel::Echo65x).is_ok());
        assert!(write(7, EchoModel::Echo65x).is_err());
        assert!(write(25, EchoModel::Echo525).is_ok());
        let error = write(30, EchoModel::Echo525).unwrap_err();
        assert_eq!((error.index, error.target), (0, "Echo 525"));
    }
}
