//! Plates and what is in them.

use jobs::work::physical::{Dispense, Move, Read};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The physical truth.
#[derive(Default)]
pub struct World {
    genes: usize,
    libraries: usize,
    blanks: usize,
    /// Plate by place.
    standing: BTreeMap<String, String>,
    /// What is in a well: contents in the order they came.
    wells: BTreeMap<(String, String), Vec<String>>,
    /// Transfers carried out, by destination plate.
    pub transfers: BTreeMap<String, usize>,
    /// The controls of these plates read the same: QC must fail.
    pub spoilt: Vec<String>,
    /// These plates scatter so much that QC must fail, though their controls differ.
    pub noisy: Vec<String>,
}

pub fn gene(index: usize) -> String {
    format!("G{index:03}")
}

/// Every fifth gene is a hit.
pub fn is_hit(gene: &str) -> bool {
    gene.strip_prefix('G').and_then(|digits| digits.parse::<usize>().ok()).is_some_and(|index| index % 5 == 0)
}

impl World {
    pub fn new(genes: usize) -> Self {
        Self { genes, ..Self::default() }
    }

    /// A further library plate, as CSV.
    pub fn stock_library(&mut self, labware: &str, volume_nl: u32) -> String {
        self.libraries += 1;
        let barcode = format!("LIB-{}", self.libraries);
        let mut csv = "barcode,labware,well,content,volume_nl\n".to_owned();
        let names =
            (0..16).flat_map(|row| (1..=24).map(move |column| format!("{}{column}", char::from(b'A' + row))));
        let contents = (0..self.genes).map(gene).chain(["NEG".to_owned(), "POS".to_owned()]);
        for (well, content) in names.zip(contents) {
            let volume = if content.starts_with('G') { volume_nl } else { 110_000 };
            writeln!(csv, "{barcode},{labware},{well},{content},{volume}").expect("a string");
            self.wells.insert((barcode.clone(), well), vec![content]);
        }
        self.standing.insert(format!("storage/{barcode}"), barcode);
        csv
    }

    /// Further blank plates, as CSV.
    pub fn stock_blanks(&mut self, labware: &str, count: usize) -> String {
        let mut csv = "barcode,labware,context\n".to_owned();
        for _ in 0..count {
            self.blanks += 1;
            let barcode = format!("P-{:03}", self.blanks);
            writeln!(csv, "{barcode},{labware},donor-1").expect("a string");
            self.standing.insert(format!("storage/{barcode}"), barcode);
        }
        csv
    }

    /// Carries plates; what does not stand where it should is a mistake of the plan.
    pub fn carry(&mut self, job: &Move) {
        for step in &job.moves {
            let barcode = &step.plate.barcode;
            let at = self.standing.remove(&step.from.to_string());
            assert_eq!(at.as_ref(), Some(barcode), "{barcode} is to be taken from {}", step.from);
            let other = self.standing.insert(step.to.to_string(), barcode.clone());
            assert_eq!(other, None, "{barcode} is to be put on {}, where another stands", step.to);
        }
    }

    /// Carries out the transfers with what really stands on the deck.
    pub fn dispense(&mut self, job: &Dispense) {
        for plate in &job.deck {
            let at = self.standing.get(&format!("handler-1/{}", plate.slot));
            assert_eq!(at, Some(&plate.plate.barcode), "on deck slot {}", plate.slot);
        }
        for transfer in &job.transfers {
            let source = self.wells.get(&(transfer.source_barcode.clone(), transfer.source_well.clone()));
            let liquid = source.cloned().unwrap_or_default();
            let destination = (transfer.destination_barcode.clone(), transfer.destination_well.clone());
            self.wells.entry(destination).or_default().extend(liquid);
            *self.transfers.entry(transfer.destination_barcode.clone()).or_default() += 1;
        }
    }

    /// The reader's file of the plate that stands before it.
    pub fn read(&self, job: &Read) -> String {
        assert_eq!(self.standing.get(&job.at.to_string()), Some(&job.plate.barcode), "before the reader");
        let barcode = &job.plate.barcode;
        let spoilt = self.spoilt.contains(barcode);
        let mut file = format!("# Plate: {barcode}\n# Instrument: reader-1\nWell,Channel,Value,Unit\n");
        for ((plate, well), contents) in &self.wells {
            if plate != barcode {
                continue;
            }
            let hit = contents.iter().any(|content| is_hit(content));
            // A little scatter by position, so that standard deviations are not zero.
            let scale = if self.noisy.contains(barcode) { 80.0 } else { 1.0 };
            let scatter = well.bytes().map(f64::from).sum::<f64>() % 7.0 * scale;
            let level = match contents.first().map(String::as_str) {
                Some("POS") if !spoilt => 1000.0,
                Some("NEG" | "POS") | None => 100.0,
                Some(_) if hit => 800.0,
                Some(_) => 150.0,
            };
            writeln!(file, "{well},signal,{},RFU", level + scatter).expect("a string");
            writeln!(file, "{well},call,{},call", u8::from(hit)).expect("a string");
            if job.channels.iter().any(|channel| channel == "atp") {
                // Hits are half dead, and the negative control reads 400.
                writeln!(file, "{well},atp,{},RLU", if hit { 200 } else { 400 }).expect("a string");
            }
        }
        file
    }

    /// Contents of one well.
    pub fn contents(&self, barcode: &str, well: &str) -> &[String] {
        self.wells.get(&(barcode.to_owned(), well.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Plates standing on a device.
    pub fn on(&self, device: &str) -> Vec<String> {
        let prefix = format!("{device}/");
        self.standing
            .iter()
            .filter(|(at, _)| at.starts_with(&prefix))
            .map(|(_, plate)| plate.clone())
            .collect()
    }
}
