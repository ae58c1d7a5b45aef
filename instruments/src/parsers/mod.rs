//! Readers of what devices return. Bytes in, wells and numbers out; no file access, no judgement.
//!
//! | format | what | reads to |
//! |---|---|---|
//! | `plate_csv` | a plate reader's table, one row per well and channel | [`ReaderFile`] |
//! | `plate_grid` | the same, rows by columns, as most readers' software exports it | [`ReaderFile`] |
//! | `asm_json` | Allotrope Simple Model, any technique, found by path pattern | [`ReaderFile`] |
//! | `echo_report` | an Echo's account of its transfers | [`EchoReport`] |
//!
//! Every value that comes out is finite, and no well and channel comes out twice. Whatever the
//! input, the answer is a value or a [`ParseError`] with a line; never a panic. Units are passed on as
//! written, never converted: devices are known to label them wrongly. Text is UTF-8, UTF-16 with a byte order mark, or
//! Windows-1252 ([`decode`]).

mod asm_json;
mod echo_report;
mod error;
mod number;
mod plate_csv;
mod plate_grid;
mod reading;
mod text;

pub use asm_json::asm_json;
pub use echo_report::{EchoReport, EchoTransfer, echo_report};
pub use error::{ParseError, ParseProblem};
pub use plate_csv::plate_csv;
pub use plate_grid::plate_grid;
pub use reading::{ReaderFile, Unreadable, WellReading};
pub use text::decode;

/// What a file of a known format says.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    Readings(ReaderFile),
    Transfers(EchoReport),
}

/// Reads `bytes` as `format`, one of the names in the table above.
pub fn parse(format: &str, bytes: &[u8]) -> Result<Parsed, ParseError> {
    match format {
        "plate_csv" => plate_csv(bytes).map(Parsed::Readings),
        "plate_grid" => plate_grid(bytes).map(Parsed::Readings),
        "asm_json" => asm_json(bytes).map(Parsed::Readings),
        "echo_report" => echo_report(bytes).map(Parsed::Transfers),
        other => Err(ParseError::whole(ParseProblem::UnknownFormat(other.to_owned()))),
    }
}

/// Reads `bytes` as `format`, which must be a plate reader's.
pub fn parse_readings(format: &str, bytes: &[u8]) -> Result<ReaderFile, ParseError> {
    match parse(format, bytes)? {
        Parsed::Readings(file) => Ok(file),
        Parsed::Transfers(_) => Err(ParseError::whole(ParseProblem::NoReadings(format.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORMATS: [&str; 4] = ["plate_csv", "plate_grid", "asm_json", "echo_report"];

    #[test]
    fn an_unknown_format_is_named() {
        let error = parse("xlsx", b"").unwrap_err();
        assert_eq!(error.code(), "parse.unknown_format");
        assert!(error.to_string().contains("xlsx"));
    }

    #[test]
    fn a_report_of_transfers_holds_no_readings() {
        let report = b"[DETAILS]\nSource Plate Barcode,Source Well,Destination Plate Barcode,Destination Well,Transfer Volume,Actual Volume\n";
        assert_eq!(parse_readings("echo_report", report).unwrap_err().code(), "parse.no_readings");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            for format in FORMATS {
                let _ = parse(format, &bytes);
            }
        }

        #[test]
        fn no_almost_right_table_panics(
            rows in prop::collection::vec("(A1|H12|AF48|Z99|)[,;](signal|call|\"|)[,\r\n](1|-1e999|NaN|OVRFLW|∞|)[,](RFU|)\n", 0..20),
        ) {
            let table = format!("# Plate: P-1\nWell,Channel,Value,Unit\n{}", rows.concat());
            if let Ok(file) = plate_csv(table.as_bytes()) {
                prop_assert!(file.readings.iter().all(|reading| reading.value.is_finite()));
            }
            let grid = format!("signal\n,1,2,3\n{}", rows.concat());
            if let Ok(file) = plate_grid(grid.as_bytes()) {
                prop_assert!(file.readings.iter().all(|reading| reading.value.is_finite()));
            }
            let _ = echo_report(format!("[DETAILS]\n{table}").as_bytes());
        }

        #[test]
        fn no_json_panics(value in json(4)) {
            let _ = asm_json(value.to_string().as_bytes());
        }
    }

    /// JSON with the keys that the parser looks for, in wrong places.
    fn json(depth: u32) -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<f64>().prop_map(|n| serde_json::json!(n)),
            "(A1|H12|mAU|P-1|)".prop_map(serde_json::Value::from),
        ];
        let key = "(measurement document|measurement aggregate document|sample document|location identifier|absorbance|value|unit|x)";
        leaf.prop_recursive(depth, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::hash_map(key, inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
