//! What stands in storage when a world begins: source plates with every gene, plates of controls,
//! blank assay plates with cells.

use crate::liquid::{Mixture, NEGATIVE, POSITIVE, cells_of};
use crate::settings::Settings;
use crate::specimen::Specimen;
use crate::volume::Volume;
use crate::world::event::PlateCreated;
use crate::world::{Place, Role};
use instruments::labware::{Labware, PlateFormat, Well};
use std::collections::BTreeMap;

/// Everything, in the order of barcodes: `LIB-0001`.., `CTRL-0001`.., `ASY-0001`...
pub fn initial_plates(settings: &Settings, specimen: &dyn Specimen) -> Vec<PlateCreated> {
    let mut plates = library_plates(settings.library_format, specimen.genes(), settings.library_copies);
    plates.extend((1..=settings.control_plates).map(|number| control_plate(number, settings.library_format)));
    let contexts = specimen.contexts().iter().cycle();
    plates.extend(
        (1..=settings.assay_plates).zip(contexts).map(|(number, context)| {
            assay_plate(&format!("ASY-{number:04}"), settings.assay_format, context)
        }),
    );
    plates
}

/// One gene a well, row by row, in the specimen's order; the whole library so often, one after the other.
fn library_plates(format: PlateFormat, genes: &[String], copies: u32) -> Vec<PlateCreated> {
    let wells: Vec<Well> = format.wells().collect();
    (0..copies)
        .flat_map(|_| genes.chunks(wells.len()))
        .zip(1..)
        .map(|(genes, number)| {
            let contents = genes.iter().map(|gene| Mixture::pure(gene.as_str(), source_volume(format)));
            source_plate(
                &format!("LIB-{number:04}"),
                format,
                Role::Library,
                wells.iter().copied().zip(contents).collect(),
            )
        })
        .collect()
}

/// Negative controls in odd columns, positive ones in even columns.
fn control_plate(number: u32, format: PlateFormat) -> PlateCreated {
    let content = |well: Well| if well.column().is_multiple_of(2) { NEGATIVE } else { POSITIVE };
    let wells =
        format.wells().map(|well| (well, Mixture::pure(content(well), control_volume(format)))).collect();
    source_plate(&format!("CTRL-{number:04}"), format, Role::Control, wells)
}

fn source_plate(
    barcode: &str,
    format: PlateFormat,
    role: Role,
    wells: BTreeMap<Well, Mixture>,
) -> PlateCreated {
    PlateCreated {
        barcode: barcode.to_owned(),
        labware: Labware::of_format(format).load_name.to_owned(),
        role,
        to: Place::storage(barcode),
        fill: Mixture::default(),
        wells,
    }
}

/// A blank plate: cells of `context` in every well.
pub fn assay_plate(barcode: &str, format: PlateFormat, context: &str) -> PlateCreated {
    PlateCreated {
        barcode: barcode.to_owned(),
        labware: Labware::of_format(format).load_name.to_owned(),
        role: Role::Assay { context: context.to_owned() },
        to: Place::storage(barcode),
        fill: Mixture::pure(cells_of(context), cell_volume(format)),
        wells: BTreeMap::new(),
    }
}

fn source_volume(format: PlateFormat) -> Volume {
    Volume::from_nanolitres(match format {
        PlateFormat::Wells96 => 150_000,
        PlateFormat::Wells384 => 60_000,
        PlateFormat::Wells1536 => 10_000,
    })
}

fn control_volume(format: PlateFormat) -> Volume {
    Volume::from_nanolitres(match format {
        PlateFormat::Wells96 => 190_000,
        PlateFormat::Wells384 => 110_000,
        PlateFormat::Wells1536 => 12_000,
    })
}

fn cell_volume(format: PlateFormat) -> Volume {
    Volume::from_nanolitres(match format {
        PlateFormat::Wells96 => 100_000,
        PlateFormat::Wells384 => 50_000,
        PlateFormat::Wells1536 => 5_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_well_is_filled_beyond_its_capacity_and_sources_reach_above_their_dead_volume() {
        for format in PlateFormat::ALL {
            let capacity = Volume::from_nanolitres(format.capacity().0);
            let dead = Volume::from_nanolitres(format.dead_volume().0);
            for volume in [source_volume(format), control_volume(format)] {
                assert!(volume <= capacity && volume > dead, "{format}");
            }
            // Ten transfers of a microlitre fit beside the cells, five in the smallest wells.
            assert!(cell_volume(format).plus(Volume::from_nanolitres(5_000)) <= capacity, "{format}");
        }
    }

    #[test]
    fn every_gene_has_one_source_well() {
        let genes: Vec<String> = (0..1_000).map(|number| format!("G{number}")).collect();
        for format in PlateFormat::ALL {
            let plates = library_plates(format, &genes, 1);
            let mut found: Vec<&str> = plates
                .iter()
                .flat_map(|plate| plate.wells.values())
                .flat_map(Mixture::iter)
                .map(|(gene, _)| gene)
                .collect();
            found.sort_unstable();
            let mut all: Vec<&str> = genes.iter().map(String::as_str).collect();
            all.sort_unstable();
            assert_eq!(found, all);
        }
    }
}
