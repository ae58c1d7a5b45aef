//! `plate_csv`: comment lines, then one row per well and channel.
//!
//! ```text
//! # Plate: P-0001
//! # Instrument: reader-1
//! # Read: 0190d000-...-1
//! Well,Channel,Value,Unit
//! A1,signal,1234.5,RFU
//! A1,call,0,call
//! ```

use super::number::{Number, number};
use super::reading::Collector;
use super::text::{Row, table, text};
use super::{ParseError, ParseProblem, ReaderFile};

/// Reads a plate reader's table. Comment lines other than the three above are passed over.
pub fn plate_csv(bytes: &[u8]) -> Result<ReaderFile, ParseError> {
    let text = text(bytes)?;
    let mut collector = Collector::default();
    let mut rest: &str = &text;
    let mut first_line = 1;
    loop {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = line.trim();
        let Some(comment) = trimmed.strip_prefix('#') else {
            if trimmed.is_empty() && !after.is_empty() {
                (rest, first_line) = (after, first_line + 1);
                continue;
            }
            break;
        };
        comment_line(&mut collector, comment).map_err(|problem| ParseError::at(first_line, problem))?;
        (rest, first_line) = (after, first_line + 1);
    }
    if rest.trim().is_empty() {
        let expected = "Well,Channel,Value,Unit";
        return Err(ParseError::at(first_line, ParseProblem::NoHeader(expected)));
    }
    let table = table(rest, first_line)?;
    let columns = [
        table.column("Well", first_line)?,
        table.column("Channel", first_line)?,
        table.column("Value", first_line)?,
        table.column("Unit", first_line)?,
    ];
    for row in &table.rows {
        reading(&mut collector, row, columns)?;
    }
    Ok(collector.file)
}

fn comment_line(collector: &mut Collector, comment: &str) -> Result<(), ParseProblem> {
    let Some((name, value)) = comment.split_once(':') else {
        return Ok(());
    };
    // Spreadsheets fill lines up.
    let value = value.trim().trim_end_matches([',', ' ']);
    if value.is_empty() {
        return Ok(());
    }
    let file = &mut collector.file;
    match name.trim().to_ascii_lowercase().as_str() {
        "plate" => Collector::say_once(&mut file.plate, "Plate", value),
        "instrument" => Collector::say_once(&mut file.instrument, "Instrument", value),
        "read" => Collector::say_once(&mut file.read, "Read", value),
        _ => Ok(()),
    }
}

fn reading(
    collector: &mut Collector,
    row: &Row,
    [well, channel, value, unit]: [usize; 4],
) -> Result<(), ParseError> {
    let problem = |problem: ParseProblem| ParseError::at(row.line, problem);
    let well = row
        .required(well, "Well")?
        .parse()
        .map_err(|error| ParseError::at(row.line, ParseProblem::Well(error)))?;
    let channel = row.required(channel, "Channel")?;
    let text = row.field(value);
    let value = match number(text) {
        Number::Value(value) => Ok(value),
        Number::NoValue => Err(text.to_owned()),
        Number::Garbage => {
            let text = text.to_owned();
            return Err(problem(ParseProblem::NotANumber { column: "Value", text }));
        }
    };
    collector.add(row.line, well, channel, value, row.field(unit)).map_err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers::{Unreadable, WellReading};

    const FILE: &str = "\u{feff}# Plate: P-1\r\n# Instrument: reader-1\r\n# Read: r-7\r\n# Gain: 80\r\nWell,Channel,Value,Unit\r\nA01,signal,12.5,RFU\r\nA1,call,0,call\r\nB2,signal,OVRFLW,RFU\r\n";

    #[test]
    fn a_file_reads_to_its_wells() {
        let file = plate_csv(FILE.as_bytes()).unwrap();
        assert_eq!(file.plate.as_deref(), Some("P-1"));
        assert_eq!(file.instrument.as_deref(), Some("reader-1"));
        assert_eq!(file.read.as_deref(), Some("r-7"));
        let a1 = "A1".parse().unwrap();
        assert_eq!(
            file.readings,
            [
                WellReading { well: a1, channel: "signal".into(), value: 12.5, unit: "RFU".into() },
                WellReading { well: a1, channel: "call".into(), value: 0.0, unit: "call".into() },
            ]
        );
        let b2 = "B2".parse().unwrap();
        let overflow = Unreadable { well: b2, channel: "signal".into(), text: "OVRFLW".into(), line: 8 };
        assert_eq!(file.unreadable, [overflow]);
    }

    #[test]
    fn what_a_spreadsheet_adds_is_no_part_of_a_plates_name() {
        let file = plate_csv(b"# Plate: P-1,,,\r\n# Instrument: reader-1 , ,\r\n# Read:,,,\r\nWell,Channel,Value,Unit\r\nA1,a,1,\xb5W\r\n");
        let file = file.unwrap();
        assert_eq!((file.plate.as_deref(), file.instrument.as_deref()), (Some("P-1"), Some("reader-1")));
        assert_eq!(file.read, None);
        assert_eq!(file.readings[0].unit, "\u{b5}W");
    }

    #[test]
    fn an_error_names_its_line() {
        let error = |text: &str| plate_csv(text.as_bytes()).unwrap_err().to_string();
        let table = |rows: &str| format!("# Plate: P-1\n\nWell,Channel,Value,Unit\nA1,signal,1,RFU\n{rows}");
        insta::assert_snapshot!(error(&table("A49,signal,1,RFU\n")), @r#"line 5: "A49" is not a well: A1 to AF48"#);
        insta::assert_snapshot!(error(&table("A2,signal,1;5,RFU")), @r#"line 5: Value "1;5" is not a number"#);
        insta::assert_snapshot!(error(&table("A01,signal,2,RFU")), @r#"line 5: well A1, channel "signal" stands in line 4 already"#);
        insta::assert_snapshot!(error(&table("A2,,2,RFU")), @"line 5: Channel is empty");
        insta::assert_snapshot!(error(&table("A2,signal,2")), @"line 5: 3 fields, the header has 4");
        insta::assert_snapshot!(error("Well,Channel,Value,Unit\r\n\r\n\r\nA1,a,1,RFU\r\n\r\nA2,a,x,RFU\r\n"), @r#"line 6: Value "x" is not a number"#);
        insta::assert_snapshot!(error("Well,Channel,Value\n"), @r#"line 1: the header lacks the column "Unit""#);
        insta::assert_snapshot!(error("# Plate: P-1\n# Plate: P-2\n"), @r#"line 2: Plate is said twice, as "P-1" and "P-2""#);
        insta::assert_snapshot!(error("# Plate: P-1\n"), @r#"line 2: no line "Well,Channel,Value,Unit""#);
        insta::assert_snapshot!(error(""), @r#"line 1: no line "Well,Channel,Value,Unit""#);
    }
}
