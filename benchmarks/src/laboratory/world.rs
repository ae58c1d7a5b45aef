//! What is in the wells: as much of it as a reading needs.

use jobs::work::physical::Dispense;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// Labware of library and assay plates.
pub const LABWARE: &str = "corning_384_wellplate_112ul_flat";
/// In each well of the library, nl; the labware holds no more.
const VOLUME_NL: u32 = 110_000;
/// Wells of a library plate that hold each control.
const CONTROL_WELLS: usize = 12;
/// Every so many genes one is a hit.
const HIT_EACH: usize = 5;

/// Readings of the wells of a plate.
type Levels = BTreeMap<String, f64>;

/// What devices of all benches see.
#[derive(Debug, Default)]
pub struct World {
    /// Of library plates: what a transfer out of a well brings.
    sources: HashMap<String, Levels>,
    /// Assay plates that something was dispensed to and that are not read yet.
    plates: Mutex<HashMap<String, Levels>>,
}

/// Name of the gene with this number in the library of `bench`.
pub fn gene(bench: usize, number: usize) -> String {
    format!("B{bench}G{number:05}")
}

/// Contents of the controls of `bench`.
pub fn controls(bench: usize) -> [String; 2] {
    [format!("NEG-{bench}"), format!("POS-{bench}")]
}

/// Cells that the plates of `bench` are seeded with.
pub fn context(bench: usize) -> String {
    format!("donor-{bench}")
}

impl World {
    /// Library plates for the `genes` of `bench`, as CSV.
    pub fn stock_library(&mut self, bench: usize, genes: usize) -> String {
        let mut csv = "barcode,labware,well,content,volume_nl\n".to_owned();
        let [negative, positive] = controls(bench);
        let names = wells();
        let a_plate = names.len() - 2 * CONTROL_WELLS;
        for (number, first) in (0..genes).step_by(a_plate).enumerate() {
            let barcode = format!("LIB-{bench}-{number}");
            let negatives = std::iter::repeat_n((negative.clone(), 100.0), CONTROL_WELLS);
            let positives = std::iter::repeat_n((positive.clone(), 1000.0), CONTROL_WELLS);
            let samples =
                (first..genes.min(first + a_plate)).map(|number| (gene(bench, number), level(number)));
            let mut levels = Levels::new();
            for (well, (content, level)) in names.iter().zip(negatives.chain(positives).chain(samples)) {
                let _ = writeln!(csv, "{barcode},{LABWARE},{well},{content},{VOLUME_NL}");
                levels.insert(well.clone(), level);
            }
            self.sources.insert(barcode, levels);
        }
        csv
    }

    /// Blank plates of `bench`, as CSV.
    pub fn stock_blanks(bench: usize, count: usize) -> String {
        let mut csv = "barcode,labware,context\n".to_owned();
        for number in 0..count {
            let _ = writeln!(csv, "P-{bench}-{number:05},{LABWARE},{}", context(bench));
        }
        csv
    }

    /// Carries the transfers out.
    pub fn dispense(&self, job: &Dispense) {
        let mut plates = self.plates.lock().unwrap_or_else(PoisonError::into_inner);
        for transfer in &job.transfers {
            let source = self.sources.get(&transfer.source_barcode);
            let level =
                source.and_then(|levels| levels.get(&transfer.source_well)).copied().unwrap_or_default();
            let plate = plates.entry(transfer.destination_barcode.clone()).or_default();
            plate.insert(transfer.destination_well.clone(), level);
        }
    }

    /// The reader's file of a plate.
    pub fn read(&self, barcode: &str) -> String {
        let levels = self.plates.lock().unwrap_or_else(PoisonError::into_inner).remove(barcode);
        let mut file = format!("# Plate: {barcode}\nWell,Channel,Value,Unit\n");
        for (well, level) in levels.unwrap_or_default() {
            // A little scatter by position, so that standard deviations are not zero.
            let scatter = well.bytes().map(f64::from).sum::<f64>() % 7.0;
            let _ = writeln!(file, "{well},signal,{},RFU", level + scatter);
        }
        file
    }
}

fn level(gene: usize) -> f64 {
    if gene.is_multiple_of(HIT_EACH) { 800.0 } else { 150.0 }
}

fn wells() -> Vec<String> {
    let rows = (b'A'..=b'P').map(char::from);
    rows.flat_map(|row| (1..=24).map(move |column| format!("{row}{column}"))).collect()
}
