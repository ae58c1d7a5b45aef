//! `asm_json`: Allotrope Simple Model, whatever the technique and the manifest's version.
//!
//! Those differ by vendor, so that measurements are found by path pattern: every object in a
//! `measurement document` array (or being one). In it, the well is `location identifier` of its
//! `sample document`, and each direct member `{"value": number, "unit": text}` is a channel by that
//! member's name; readings at several wavelengths get the wavelength into the name
//! (`absorbance 450 nm`). Not read: raw data cubes, calculated data. The caller keeps the raw JSON.

use super::reading::Collector;
use super::text::text;
use super::{ParseError, ParseProblem, ReaderFile};
use crate::labware::Well;
use serde_json::{Map, Value};

/// Conditions during the measurement, not measurements of the well.
const CONDITIONS: [&str; 2] = ["compartment temperature", "temperature"];

/// Reads an ASM document of a plate reader. All measurements have to be of one plate.
pub fn asm_json(bytes: &[u8]) -> Result<ReaderFile, ParseError> {
    let document: Value = serde_json::from_str(&text(bytes)?)
        .map_err(|error| ParseError::at(error.line() as u64, ParseProblem::NotJson(error.to_string())))?;
    let mut collector = Collector::default();
    let mut seen = 0;
    walk(&document, "", &mut |path, measurement| {
        seen += 1;
        read_measurement(&mut collector, measurement)
            .map_err(|problem| ParseError::whole(ParseProblem::At(path.to_owned(), Box::new(problem))))
    })?;
    if seen == 0 || (collector.file.readings.is_empty() && collector.file.unreadable.is_empty()) {
        return Err(ParseError::whole(ParseProblem::NoMeasurement));
    }
    Ok(collector.file)
}

type Visit<'a> = dyn FnMut(&str, &Map<String, Value>) -> Result<(), ParseError> + 'a;

/// Depth is bounded by serde_json's own limit of 128.
fn walk(value: &Value, path: &str, visit: &mut Visit<'_>) -> Result<(), ParseError> {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let path = format!("{path}/{key}");
                match (key.as_str(), member) {
                    ("measurement document", Value::Array(documents)) => {
                        for (index, document) in documents.iter().enumerate() {
                            if let Value::Object(document) = document {
                                visit(&format!("{path}/{index}"), document)?;
                            }
                        }
                    }
                    ("measurement document", Value::Object(document)) => visit(&path, document)?,
                    _ => walk(member, &path, visit)?,
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}/{index}"), visit)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn read_measurement(collector: &mut Collector, measurement: &Map<String, Value>) -> Result<(), ParseProblem> {
    let sample = measurement.get("sample document").and_then(Value::as_object);
    let text = |key: &str| sample.and_then(|sample| sample.get(key)).and_then(Value::as_str);
    // Not every measurement is of a well (a blank, a reference).
    let Some(location) = text("location identifier") else {
        return Ok(());
    };
    let well: Well = location.trim().parse()?;
    if let Some(plate) = text("well plate identifier") {
        Collector::say_once(&mut collector.file.plate, "well plate identifier", plate)?;
    }
    let suffix = wavelength(measurement).map(|nm| format!(" {nm} nm")).unwrap_or_default();
    for (name, member) in measurement {
        let Some((value, unit)) = quantity(member) else {
            continue;
        };
        if !CONDITIONS.contains(&name.as_str()) {
            collector.add(0, well, &format!("{name}{suffix}"), value, unit)?;
        }
    }
    Ok(())
}

/// `{"value": 0.031, "unit": "mAU"}`, its value possibly one of the words for having none.
fn quantity(member: &Value) -> Option<(Result<f64, String>, &str)> {
    let unit = member.get("unit")?.as_str()?;
    match member.get("value")? {
        Value::Number(number) => {
            let value = number.as_f64().filter(|value| value.is_finite());
            Some((value.ok_or_else(|| number.to_string()), unit))
        }
        Value::String(word) => Some((Err(word.clone()), unit)),
        Value::Null => Some((Err(String::new()), unit)),
        _ => None,
    }
}

/// Of the detector, where the device control says one.
fn wavelength(measurement: &Map<String, Value>) -> Option<f64> {
    let control = measurement.get("device control aggregate document")?.get("device control document")?;
    let control = control.get(0).unwrap_or(control);
    control.get("detector wavelength setting")?.get("value")?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn measurement(well: &str, nm: f64, value: Value) -> Value {
        json!({
            "measurement identifier": "random",
            "sample document": {"location identifier": well, "well plate identifier": "P-1"},
            "device control aggregate document": {"device control document": [
                {"device type": "plate reader", "detector wavelength setting": {"value": nm, "unit": "nm"}}
            ]},
            "compartment temperature": {"value": 37.0, "unit": "degC"},
            "absorbance": {"value": value, "unit": "mAU"},
        })
    }

    fn document(measurements: Vec<Value>) -> Vec<u8> {
        json!({
            "$asm.manifest": "http://purl.allotrope.org/manifests/plate-reader/REC/2024/06/plate-reader.manifest",
            "plate reader aggregate document": {"plate reader document": [
                {"measurement aggregate document": {"measurement time": "2024-01-01T00:00:00+00:00", "measurement document": measurements}}
            ]},
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn measurements_are_found_by_path_pattern() {
        let file = asm_json(&document(vec![
            measurement("A1", 450.0, json!(0.031)),
            measurement("A1", 600.0, json!(0.5)),
            measurement("B1", 450.0, json!("NaN")),
        ]))
        .unwrap();
        assert_eq!(file.plate.as_deref(), Some("P-1"));
        let seen: Vec<_> = file
            .readings
            .iter()
            .map(|r| (r.well.to_string(), r.channel.as_str(), r.value, r.unit.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("A1".to_owned(), "absorbance 450 nm", 0.031, "mAU"),
                ("A1".to_owned(), "absorbance 600 nm", 0.5, "mAU")
            ]
        );
        assert_eq!(file.unreadable.len(), 1);
    }

    #[test]
    fn a_document_may_begin_with_a_byte_order_mark() {
        let plain = document(vec![measurement("A1", 450.0, json!(1))]);
        let text = std::str::from_utf8(&plain).unwrap();
        let utf_16 = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for marked in [format!("\u{feff}{text}").into_bytes(), utf_16] {
            assert_eq!(asm_json(&marked).unwrap(), asm_json(&plain).unwrap());
        }
    }

    #[test]
    fn an_error_names_its_path() {
        let twice = document(vec![measurement("A1", 450.0, json!(1)), measurement("A01", 450.0, json!(2))]);
        let error = asm_json(&twice).unwrap_err();
        assert_eq!(error.code(), "parse.duplicate");
        assert!(error.to_string().contains("/measurement document/1"), "{error}");
        assert_eq!(asm_json(b"{}").unwrap_err().code(), "parse.no_measurement");
        assert_eq!(asm_json(b"{").unwrap_err().code(), "parse.json");
    }
}
