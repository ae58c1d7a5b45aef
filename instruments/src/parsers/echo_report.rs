//! `echo_report`: what an Echo says that it transferred.
//!
//! Some lines of `name,value`, then the sections `[EXCEPTIONS]` (transfers that failed) and
//! `[DETAILS]`, each a table of its own. Spreadsheet programs pad lines with empty fields.

use super::number::{Number, number};
use super::text::{Row, Table, table, text};
use super::{ParseError, ParseProblem};
use crate::labware::Well;

/// Everything the report says of transfers, in its order; failed ones first, as in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EchoReport {
    pub run_id: Option<String>,
    pub transfers: Vec<EchoTransfer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EchoTransfer {
    /// Barcode, or the plate's name where the report has none.
    pub source_plate: String,
    pub source_well: Well,
    pub destination_plate: String,
    pub destination_well: Well,
    /// What was asked for.
    pub transfer_nl: f64,
    /// What was transferred; `None` when the device did not say.
    pub actual_nl: Option<f64>,
    /// The device's own words when it did not go as asked.
    pub status: Option<String>,
    /// It stands among the exceptions.
    pub failed: bool,
    /// In the file, from 1.
    pub line: u64,
}

/// Reads an Echo's output report.
pub fn echo_report(bytes: &[u8]) -> Result<EchoReport, ParseError> {
    let text = text(bytes)?;
    let mut report = EchoReport::default();
    let mut found = false;
    for section in sections(&text) {
        match section.name {
            None => report.run_id = preamble_value(section.body, "Run ID"),
            Some(name) => {
                let failed = name.eq_ignore_ascii_case("EXCEPTIONS");
                if failed || name.eq_ignore_ascii_case("DETAILS") {
                    found = true;
                    transfers(&mut report, &section, failed)?;
                }
            }
        }
    }
    if found { Ok(report) } else { Err(ParseError::whole(ParseProblem::NoHeader("[DETAILS]"))) }
}

struct Section<'a> {
    /// Without brackets; `None` before the first.
    name: Option<&'a str>,
    body: &'a str,
    /// Of the body's first line, from 1.
    first_line: u64,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let (mut name, mut begin, mut first_line, mut offset) = (None, 0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let after = offset + line.len();
        let head = line.trim().trim_end_matches(',').trim();
        if let Some(title) = head.strip_prefix('[').and_then(|head| head.strip_suffix(']')) {
            let body = text.get(begin..offset).unwrap_or_default();
            sections.push(Section { name, body, first_line });
            (name, begin, first_line) = (Some(title.trim()), after, index as u64 + 2);
        }
        offset = after;
    }
    sections.push(Section { name, body: text.get(begin..).unwrap_or_default(), first_line });
    sections
}

fn preamble_value(body: &str, name: &str) -> Option<String> {
    body.lines().find_map(|line| {
        let (key, value) = line.split_once(',')?;
        let value = value.trim_end_matches(',').trim();
        (key.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The tables end at the first row of `name,value` that follows them (the instrument's description).
fn transfers(report: &mut EchoReport, section: &Section<'_>, failed: bool) -> Result<(), ParseError> {
    let body = until_footer(section.body);
    if body.trim().is_empty() {
        return Ok(());
    }
    let table = table(body, section.first_line)?;
    let columns = Columns::of(&table, section.first_line)?;
    for row in &table.rows {
        report.transfers.push(transfer(row, &columns, failed)?);
    }
    Ok(())
}

fn until_footer(body: &str) -> &str {
    let mut offset = 0;
    for line in body.split_inclusive('\n') {
        let filled = line.trim().trim_end_matches(',').split(',').count();
        if line.trim_start().to_ascii_lowercase().starts_with("instrument ") && filled <= 2 {
            return body.get(..offset).unwrap_or_default();
        }
        offset += line.len();
    }
    body
}

struct Columns {
    source_plate: Vec<usize>,
    source_well: usize,
    destination_plate: Vec<usize>,
    destination_well: usize,
    transfer: usize,
    actual: Option<usize>,
    status: Option<usize>,
}

impl Columns {
    fn of(table: &Table, line: u64) -> Result<Self, ParseError> {
        let plate = |barcode: &'static str, name: &str| {
            let columns: Vec<usize> =
                [barcode, name].into_iter().filter_map(|column| table.optional_column(column)).collect();
            if columns.is_empty() {
                return Err(ParseError::at(line, ParseProblem::NoColumn(barcode)));
            }
            Ok(columns)
        };
        Ok(Self {
            source_plate: plate("Source Plate Barcode", "Source Plate Name")?,
            source_well: table.column("Source Well", line)?,
            destination_plate: plate("Destination Plate Barcode", "Destination Plate Name")?,
            destination_well: table.column("Destination Well", line)?,
            transfer: table.column("Transfer Volume", line)?,
            actual: table.optional_column("Actual Volume"),
            status: table.optional_column("Transfer Status"),
        })
    }
}

fn transfer(row: &Row, columns: &Columns, failed: bool) -> Result<EchoTransfer, ParseError> {
    let plate = |candidates: &[usize], name: &'static str| {
        candidates
            .iter()
            .map(|column| row.field(*column))
            .find(|text| !text.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| ParseError::at(row.line, ParseProblem::Empty(name)))
    };
    let well = |column: usize, name: &'static str| -> Result<Well, ParseError> {
        row.required(column, name)?
            .parse()
            .map_err(|error| ParseError::at(row.line, ParseProblem::Well(error)))
    };
    let volume = |column: usize, name: &'static str| {
        let text = row.field(column);
        match number(text) {
            Number::Value(value) if value >= 0.0 => Ok(Some(value)),
            Number::NoValue => Ok(None),
            _ => {
                let text = text.to_owned();
                Err(ParseError::at(row.line, ParseProblem::NotANumber { column: name, text }))
            }
        }
    };
    let status = columns.status.map(|column| row.field(column)).filter(|text| !text.is_empty());
    Ok(EchoTransfer {
        source_plate: plate(&columns.source_plate, "Source Plate Barcode")?,
        source_well: well(columns.source_well, "Source Well")?,
        destination_plate: plate(&columns.destination_plate, "Destination Plate Barcode")?,
        destination_well: well(columns.destination_well, "Destination Well")?,
        transfer_nl: volume(columns.transfer, "Transfer Volume")?
            .ok_or_else(|| ParseError::at(row.line, ParseProblem::Empty("Transfer Volume")))?,
        actual_nl: match columns.actual {
            Some(column) => volume(column, "Actual Volume")?,
            None => None,
        },
        status: status.map(str::to_owned),
        failed,
        line: row.line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Source Plate Name,Source Plate Barcode,Source Plate Type,Source Well,Destination Plate Name,Destination Plate Barcode,Destination Well,Transfer Volume,Actual Volume,Transfer Status";

    fn example() -> String {
        format!(
            "Run ID,446,,,,,,,,\nUser Name,robot,,,,,,,,\n,,,,,,,,,\n[EXCEPTIONS],,,,,,,,,\n{HEADER}\nS1,LIB-1,384PP,B4,D1,P-1,B4,10,0,\"MM0202007: Problem, no fluid\"\n[DETAILS],,,,,,,,,\n{HEADER}\nS1,LIB-1,384PP,A3,D1,P-1,A03,10,10,\nS1,,384PP,A4,D1,P-1,A4,12.5,10,\n\nInstrument Name,E5XX-1\nInstrument Model,Echo 525\n"
        )
    }

    #[test]
    fn each_transfer_says_what_was_asked_and_what_was_done() {
        let report = echo_report(example().as_bytes()).unwrap();
        assert_eq!(report.run_id.as_deref(), Some("446"));
        let [failed, done, partial] = report.transfers.as_slice() else { panic!("{:?}", report.transfers) };
        assert!(failed.failed && failed.actual_nl == Some(0.0) && failed.line == 6);
        assert_eq!(failed.status.as_deref(), Some("MM0202007: Problem, no fluid"));
        assert_eq!((done.transfer_nl, done.actual_nl, done.failed), (10.0, Some(10.0), false));
        assert_eq!(done.destination_well.to_string(), "A3");
        assert_eq!(
            (partial.source_plate.as_str(), partial.transfer_nl, partial.actual_nl),
            ("S1", 12.5, Some(10.0))
        );
    }

    #[test]
    fn an_error_names_its_line() {
        let error = |text: String| echo_report(text.as_bytes()).unwrap_err().to_string();
        insta::assert_snapshot!(error(example().replace(",A4,D1", ",A99,D1")), @r#"line 10: "A99" is not a well: A1 to AF48"#);
        insta::assert_snapshot!(error(example().replace(",12.5,", ",-1,")), @r#"line 10: Transfer Volume "-1" is not a number"#);
        insta::assert_snapshot!(error("Run ID,1\n".to_owned()), @r#"no line "[DETAILS]""#);
        insta::assert_snapshot!(error("\n[DETAILS]\nSource Well\n".to_owned()), @r#"line 3: the header lacks the column "Source Plate Barcode""#);
    }

    #[test]
    fn a_report_with_nothing_but_exceptions_is_read() {
        let text = example();
        let (only_exceptions, _) = text.split_once("[DETAILS]").unwrap();
        assert_eq!(echo_report(only_exceptions.as_bytes()).unwrap().transfers.len(), 1);
    }
}
