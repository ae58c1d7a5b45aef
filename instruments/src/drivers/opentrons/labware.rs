//! Definitions of labware that the robot's own library lacks, uploaded along with the protocol.

use crate::labware::{Labware, PlateFormat};
use crate::transfers::TransferList;
use serde_json::{Map, Value, json};

/// Outer size and well positions after ANSI/SLAS 1-2004 and 4-2004, in millimetres. Height and depth are
/// nominal, not measured: check them against the plate in use before a robot's tip goes near it.
const LENGTH: f64 = 127.76;
const WIDTH: f64 = 85.48;
const HEIGHT: f64 = 10.4;
const WELL_DEPTH: f64 = 4.8;
const WELL_SIDE: f64 = 1.7;

/// Name and text of each definition file that `list` needs.
pub(super) fn definitions(list: &TransferList) -> Vec<(String, String)> {
    let mut needed: Vec<&'static Labware> =
        list.plates.iter().map(|plate| plate.labware).filter(|labware| !labware.in_vendor_library).collect();
    needed.sort_by_key(|labware| labware.load_name);
    needed.dedup();
    needed
        .into_iter()
        .map(|labware| (format!("{}.json", labware.load_name), definition(labware).to_string()))
        .collect()
}

/// Labware schema version 2.
fn definition(labware: &Labware) -> Value {
    let format = labware.format;
    let names: Vec<String> = format.wells_by_column().map(|well| well.to_string()).collect();
    let ordering: Vec<&[String]> = names.chunks(usize::from(format.rows())).collect();
    json!({
        "schemaVersion": 2,
        "version": 1,
        "namespace": "loopwright",
        "metadata": {
            "displayName": labware.display_name,
            "displayCategory": "wellPlate",
            "displayVolumeUnits": "µL",
            "tags": [],
        },
        "brand": {"brand": "generic", "brandId": []},
        "parameters": {
            "format": "irregular",
            "quirks": [],
            "isTiprack": false,
            "isMagneticModuleCompatible": false,
            "loadName": labware.load_name,
        },
        "dimensions": {"xDimension": LENGTH, "yDimension": WIDTH, "zDimension": HEIGHT},
        "cornerOffsetFromSlot": {"x": 0, "y": 0, "z": 0},
        "ordering": ordering,
        "wells": wells(format),
        "groups": [{"wells": names, "metadata": {"wellBottomShape": "flat"}}],
    })
}

fn wells(format: PlateFormat) -> Map<String, Value> {
    let (first_x, first_y, pitch) = match format {
        PlateFormat::Wells96 => (14.38, 11.24, 9.0),
        PlateFormat::Wells384 => (12.13, 8.99, 4.5),
        PlateFormat::Wells1536 => (11.005, 7.865, 2.25),
    };
    // Micrometres are enough; binary fractions in the file are not.
    let rounded = |millimetres: f64| (millimetres * 1000.0).round() / 1000.0;
    format
        .wells()
        .map(|well| {
            let place = json!({
                "shape": "rectangular",
                "xDimension": WELL_SIDE,
                "yDimension": WELL_SIDE,
                "depth": WELL_DEPTH,
                "totalLiquidVolume": format.capacity().as_microlitres(),
                "x": rounded(first_x + pitch * f64::from(well.column())),
                "y": rounded(WIDTH - first_y - pitch * f64::from(well.row())),
                "z": rounded(HEIGHT - WELL_DEPTH),
            });
            (well.to_string(), place)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wells_of_a_1536_plate_are_symmetric_on_it() {
        let labware = Labware::of_format(PlateFormat::Wells1536);
        let definition = definition(labware);
        let of = |well: &str, axis: &str| definition["wells"][well][axis].as_f64().unwrap();
        assert_eq!(definition["wells"].as_object().unwrap().len(), 1536);
        assert!((of("A1", "x") + of("A48", "x") - LENGTH).abs() < 1e-6);
        assert!((of("A1", "y") + of("AF1", "y") - WIDTH).abs() < 1e-6);
        assert_eq!(definition["ordering"][1][0], "A2");
    }
}
