//! The picklist: a CSV with one transfer a row, columns by name.

use crate::volume::Volume;
use crate::world::transfer::SlotWell;
use instruments::labware::{Labware, Well};
use std::collections::BTreeMap;

const TIPS_A_RACK: usize = 96;
/// What the pipette moves in one stroke.
const SMALLEST_UL: f64 = 1.0;
const LARGEST_UL: f64 = 20.0;
const DEFAULT_TIP_RACKS: &str = "10 11";

#[derive(Clone, Debug, PartialEq)]
pub struct Picklist {
    pub rows: Vec<Row>,
    /// By slot: load name and label of the plate that the picklist believes to stand there.
    pub plates: BTreeMap<String, (String, String)>,
    pub tip_racks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub source: SlotWell,
    pub destination: SlotWell,
    pub volume: Volume,
}

impl Picklist {
    /// Reads `text`; an error says the line, in the words of the protocol that reads it on a robot.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let mut picklist = Self { rows: Vec::new(), plates: BTreeMap::new(), tip_racks: Vec::new() };
        for (record, line) in reader.records().zip(2..) {
            let record = record.map_err(|error| error.to_string())?;
            let fields = Fields { header: &header, record: &record, line };
            picklist.add(&fields)?;
        }
        if picklist.rows.is_empty() {
            return Err("the picklist has no transfers".to_owned());
        }
        let tips = picklist.tip_racks.len() * TIPS_A_RACK;
        if picklist.rows.len() > tips {
            return Err(format!("{} transfers need more than {tips} tips", picklist.rows.len()));
        }
        Ok(picklist)
    }

    /// Labware that the robot's own library lacks and that no file of the protocol defines.
    pub fn undefined_labware(&self, defined: &[String]) -> Option<&str> {
        let names = self.plates.values().map(|(load_name, _)| load_name);
        let mut undefined = names.filter(|name| {
            let in_library = Labware::by_load_name(name).is_ok_and(|labware| labware.in_vendor_library);
            !in_library && !defined.contains(name)
        });
        undefined.next().map(String::as_str)
    }

    fn add(&mut self, fields: &Fields<'_>) -> Result<(), String> {
        let volume_ul: f64 = fields.parse("volume_ul")?;
        if !(SMALLEST_UL..=LARGEST_UL).contains(&volume_ul) {
            return Err(fields.wrong(&format!("{volume_ul} uL is outside {SMALLEST_UL} to {LARGEST_UL} uL")));
        }
        let row = Row {
            source: self.end(fields, "source")?,
            destination: self.end(fields, "destination")?,
            volume: Volume::from_microlitres_f64(volume_ul),
        };
        let racks =
            fields.optional("tip_rack_slots").filter(|text| !text.is_empty()).unwrap_or(DEFAULT_TIP_RACKS);
        let racks: Vec<String> =
            racks.split([' ', ';', ',', '|']).filter(|slot| !slot.is_empty()).map(str::to_owned).collect();
        if self.rows.is_empty() {
            self.tip_racks = racks;
        } else if self.tip_racks != racks {
            return Err(fields.wrong("tip_rack_slots differs from the first row"));
        }
        self.rows.push(row);
        Ok(())
    }

    fn end(&mut self, fields: &Fields<'_>, end: &str) -> Result<SlotWell, String> {
        let slot = fields.text(&format!("{end}_slot"))?;
        let load_name = fields.text(&format!("{end}_labware"))?;
        let label = fields.optional(&format!("{end}_barcode")).unwrap_or_default();
        let well: Well = fields.parse(&format!("{end}_well"))?;
        let labware = Labware::by_load_name(load_name).map_err(|error| fields.wrong(&error.to_string()))?;
        labware.format.check(well).map_err(|error| fields.wrong(&error.to_string()))?;
        let plate = (load_name.to_owned(), label.to_owned());
        let known = self.plates.entry(slot.to_owned()).or_insert_with(|| plate.clone());
        if *known != plate {
            return Err(fields.wrong(&format!("slot {slot} holds {known:?}, not {plate:?}")));
        }
        Ok(SlotWell { slot: slot.to_owned(), labware: plate.0, well })
    }
}

struct Fields<'a> {
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    line: usize,
}

impl<'a> Fields<'a> {
    fn optional(&self, column: &str) -> Option<&'a str> {
        let at = self.header.iter().position(|name| name == column)?;
        self.record.get(at)
    }

    fn text(&self, column: &str) -> Result<&'a str, String> {
        match self.optional(column) {
            None => Err(format!("the picklist lacks the column {column}")),
            Some("") => Err(self.wrong(&format!("{column} is empty"))),
            Some(text) => Ok(text),
        }
    }

    fn parse<T: std::str::FromStr>(&self, column: &str) -> Result<T, String> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.wrong(&format!("{column} is {text:?}")))
    }

    fn wrong(&self, what: &str) -> String {
        format!("line {}: {what}", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "source_slot,source_labware,source_well,destination_slot,destination_labware,destination_well,volume_ul";
    const PLATE: &str = "corning_384_wellplate_112ul_flat";

    fn row(rest: &str) -> String {
        format!("{HEADER}\n2,{PLATE},A1,1,{PLATE},{rest}\n")
    }

    #[test]
    fn columns_are_found_by_name_and_tips_have_a_default() {
        let picklist = Picklist::parse(&row("B2,1.5")).unwrap();
        assert_eq!(picklist.rows[0].volume, Volume::from_nanolitres(1_500));
        assert_eq!(picklist.tip_racks, ["10", "11"]);
        assert_eq!(picklist.undefined_labware(&[]), None);
    }

    #[test]
    fn what_the_protocol_would_refuse_is_refused_with_its_line() {
        for (rest, why) in [
            ("B2,0.5", "line 2: 0.5 uL"),
            ("Z2,1", "line 2"),
            ("B2,x", "line 2: volume_ul"),
            (",1", "line 2: destination_well"),
        ] {
            let error = Picklist::parse(&row(rest)).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
        assert!(Picklist::parse(HEADER).unwrap_err().contains("no transfers"));
        let too_many = format!("{HEADER}\n{}", format!("2,{PLATE},A1,1,{PLATE},B2,1\n").repeat(193));
        assert!(Picklist::parse(&too_many).unwrap_err().contains("192 tips"));
    }

    #[test]
    fn labware_that_is_not_in_the_library_has_to_come_with_the_protocol() {
        let name = "corning_1536_wellplate_12ul_flat";
        let text = format!("{HEADER}\n2,{PLATE},A1,1,{name},AF48,1\n");
        let picklist = Picklist::parse(&text).unwrap();
        assert_eq!(picklist.undefined_labware(&[]), Some(name));
        assert_eq!(picklist.undefined_labware(&[name.to_owned()]), None);
    }
}
