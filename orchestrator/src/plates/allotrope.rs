//! A plate's readings as an Allotrope Simple Model document (`plate-reader`, REC/2025/03): what electronic notebooks and data
//! platforms read. Pure.
//!
//! | here | there |
//! |---|---|
//! | one read of the plate, one well | a `plate reader document`; the container is the well plate |
//! | a reading in RFU, RLU, mAU | a `measurement document` with `fluorescence`, `luminescence`, `absorbance` |
//! | any other (a call, a ratio) | a `calculated data document` of that name, whose source is the well's measurements |
//! | channel, unit as the device wrote it, context | `custom information` |
//!
//! Values are as the device gave them: nothing is converted on a label's word. A unit that the model has no measurement for is no
//! measurement there.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub const MANIFEST: &str =
    "http://purl.allotrope.org/manifests/plate-reader/REC/2025/03/plate-reader.manifest";

/// What was read, of which plate.
#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    pub barcode: String,
    pub context: String,
    /// How many wells it has; unknown of labware that nobody knows any more.
    pub well_count: Option<u32>,
}

/// What stands in a well.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The perturbation, or the control's role.
    pub name: String,
    pub is_control: bool,
}

/// One look at the plate.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    pub job: String,
    pub instrument: Option<String>,
    pub read_at: DateTime<Utc>,
    pub raw_sha256: String,
}

/// One value of a look.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub well: String,
    pub channel: String,
    pub value: f64,
    pub unit: String,
}

/// Member, unit and detection of a measurement, by the unit that the device wrote.
fn measured(unit: &str) -> Option<(&'static str, &'static str, &'static str)> {
    match unit.trim().to_ascii_lowercase().as_str() {
        "rfu" => Some(("fluorescence", "RFU", "Fluorescence")),
        "rlu" => Some(("luminescence", "RLU", "Luminescence")),
        "mau" => Some(("absorbance", "mAU", "Absorbance")),
        _ => None,
    }
}

/// The document of one plate. `looks`: each with its readings, in time.
pub fn document(plate: &Plate, samples: &BTreeMap<String, Sample>, looks: &[(Look, Vec<Reading>)]) -> Value {
    let (mut documents, mut calculated) = (Vec::new(), Vec::new());
    for (look, readings) in looks {
        let mut wells: BTreeMap<(u32, String), Vec<&Reading>> = BTreeMap::new();
        for reading in readings {
            wells.entry(place(&reading.well)).or_default().push(reading);
        }
        for ((_, _), readings) in wells {
            let (measurements, others): (Vec<_>, Vec<_>) =
                readings.into_iter().partition(|reading| measured(&reading.unit).is_some());
            calculated.extend(others.iter().map(|reading| calculation(look, reading, &measurements)));
            if !measurements.is_empty() {
                documents.push(of_well(plate, samples, look, &measurements));
            }
        }
    }
    let last = looks.last().map(|(look, _)| look);
    let device = last.and_then(|look| look.instrument.as_deref()).unwrap_or("unknown");
    let mut aggregate = json!({
        "device system document": {"device identifier": device, "model number": "N/A"},
        "data system document": {
            "ASM file identifier": format!("{}.asm.json", plate.barcode),
            "data system instance identifier": "loopwright",
            "file name": last.map_or("N/A", |look| look.raw_sha256.as_str()),
            "UNC path": "N/A",
            "software name": "Loopwright",
            "software version": env!("CARGO_PKG_VERSION"),
            "ASM converter name": "loopwright",
            "ASM converter version": env!("CARGO_PKG_VERSION"),
        },
        "plate reader document": documents,
    });
    if !calculated.is_empty() {
        aggregate["calculated data aggregate document"] = json!({"calculated data document": calculated});
    }
    json!({"$asm.manifest": MANIFEST, "plate reader aggregate document": aggregate})
}

/// Row by row: `A1, A2, .. B1`, with rows beyond Z after it.
fn place(well: &str) -> (u32, String) {
    let letters = well.trim_end_matches(|c: char| c.is_ascii_digit());
    let column: u32 = well[letters.len()..].parse().unwrap_or(u32::MAX);
    let row =
        letters.bytes().fold(0u32, |row, letter| row.saturating_mul(27).saturating_add(u32::from(letter)));
    (row.saturating_mul(64).saturating_add(column.min(63)), well.to_owned())
}

fn identifier(look: &Look, reading: &Reading) -> String {
    format!("{}/{}/{}", look.job, reading.well, reading.channel)
}

fn of_well(plate: &Plate, samples: &BTreeMap<String, Sample>, look: &Look, readings: &[&Reading]) -> Value {
    let measurements: Vec<Value> =
        readings.iter().filter_map(|reading| measurement(plate, samples, look, reading)).collect();
    let mut aggregate = json!({
        "measurement time": look.read_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "container type": "well plate",
        "measurement document": measurements,
    });
    if let Some(count) = plate.well_count {
        aggregate["plate well count"] = json!({"value": count, "unit": "#"});
    }
    json!({"measurement aggregate document": aggregate})
}

fn measurement(
    plate: &Plate,
    samples: &BTreeMap<String, Sample>,
    look: &Look,
    reading: &Reading,
) -> Option<Value> {
    let (member, unit, detection) = measured(&reading.unit)?;
    let mut sample = json!({
        "sample identifier": "N/A",
        "location identifier": reading.well,
        "well plate identifier": plate.barcode,
    });
    if let Some(known) = samples.get(&reading.well) {
        sample["sample identifier"] = known.name.clone().into();
        let role = if known.is_control { "control sample role" } else { "unknown sample role" };
        sample["sample role type"] = role.into();
    }
    let mut document = Map::new();
    document.insert("measurement identifier".into(), identifier(look, reading).into());
    document.insert("sample document".into(), sample);
    document.insert(
        "device control aggregate document".into(),
        json!({"device control document": [{"device type": "plate reader", "detection type": detection}]}),
    );
    document.insert(member.into(), json!({"value": reading.value, "unit": unit}));
    let told = [("channel", &reading.channel), ("unit", &reading.unit), ("context", &plate.context)];
    document.insert("custom information aggregate document".into(), custom(&told));
    Some(document.into())
}

fn custom(told: &[(&str, &String)]) -> Value {
    let told: Vec<Value> =
        told.iter().map(|(label, text)| json!({"datum label": label, "scalar string datum": text})).collect();
    json!({"custom information document": told})
}

fn calculation(look: &Look, reading: &Reading, sources: &[&Reading]) -> Value {
    let mut document = json!({
        "calculated data identifier": identifier(look, reading),
        "calculated data name": reading.channel,
        "calculated data description": format!("{} of well {}, in {:?} as the device wrote it", reading.channel, reading.well, reading.unit),
        "calculated result": {"value": reading.value, "unit": "(unitless)"},
    });
    let sources: Vec<Value> = sources
        .iter()
        .filter_map(|source| {
            let (feature, _, _) = measured(&source.unit)?;
            Some(json!({"data source identifier": identifier(look, source), "data source feature": feature}))
        })
        .collect();
    if !sources.is_empty() {
        document["data source aggregate document"] = json!({"data source document": sources});
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use instruments::parsers::parse_readings;

    fn look() -> Look {
        Look {
            job: "0190d000-0000-7000-8000-000000000001".into(),
            instrument: Some("reader-1".into()),
            read_at: "2026-11-30T09:00:00Z".parse().unwrap(),
            raw_sha256: "ab".repeat(32),
        }
    }

    fn plate() -> Plate {
        Plate { barcode: "P-1".into(), context: "D1".into(), well_count: Some(384) }
    }

    fn reading(well: &str, channel: &str, value: f64, unit: &str) -> Reading {
        Reading { well: well.into(), channel: channel.into(), value, unit: unit.into() }
    }

    fn samples() -> BTreeMap<String, Sample> {
        [("A1", "CBLB", false), ("A10", "negative", true)]
            .map(|(well, name, is_control)| (well.to_owned(), Sample { name: name.into(), is_control }))
            .into()
    }

    fn readings() -> Vec<Reading> {
        vec![
            reading("A10", "signal", 10.5, "RFU"),
            reading("A2", "signal", 2.5, "RFU"),
            reading("B1", "signal", 5.0, "RFU"),
            reading("AA1", "signal", 7.0, "RFU"),
            reading("A1", "signal", 1.5, "RFU"),
            reading("A1", "viability", 50_000.0, "RLU"),
            reading("A1", "call", 1.0, "call"),
        ]
    }

    #[test]
    fn golden() {
        let two = vec![reading("A1", "signal", 1.5, "RFU"), reading("A1", "call", 1.0, "call")];
        insta::assert_json_snapshot!(document(&plate(), &samples(), &[(look(), two)]));
    }

    #[test]
    fn wells_stand_row_by_row_and_nothing_is_lost() {
        let said = document(&plate(), &samples(), &[(look(), readings())]);
        let documents = said["plate reader aggregate document"]["plate reader document"].as_array().unwrap();
        let well = |document: &Value| {
            let measurement = &document["measurement aggregate document"]["measurement document"][0];
            measurement["sample document"]["location identifier"].as_str().unwrap().to_owned()
        };
        assert_eq!(documents.iter().map(well).collect::<Vec<_>>(), ["A1", "A2", "A10", "B1", "AA1"]);
        let count: usize = documents
            .iter()
            .map(|document| {
                document["measurement aggregate document"]["measurement document"].as_array().unwrap().len()
            })
            .sum();
        let calculated = &said["plate reader aggregate document"]["calculated data aggregate document"];
        assert_eq!(
            count + calculated["calculated data document"].as_array().unwrap().len(),
            readings().len()
        );
    }

    #[test]
    fn our_own_reader_of_such_files_reads_it_back() {
        let said = document(&plate(), &samples(), &[(look(), readings())]);
        let file = parse_readings("asm_json", said.to_string().as_bytes()).unwrap();
        assert_eq!(file.plate.as_deref(), Some("P-1"));
        let mut values: Vec<(String, String, f64)> =
            file.readings.iter().map(|r| (r.well.to_string(), r.channel.clone(), r.value)).collect();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(values.len(), 6, "{values:?}");
        assert_eq!(values[0], ("A1".to_owned(), "fluorescence".to_owned(), 1.5));
        assert_eq!(values[1], ("A1".to_owned(), "luminescence".to_owned(), 50_000.0));
    }
}
