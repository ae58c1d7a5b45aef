//! `plate_grid`: the plate as most readers' software exports it, rows by columns.
//!
//! ```text
//! Plate: P-0001
//! Absorbance 450 nm
//! ,1,2,3,4,5,6,7,8,9,10,11,12
//! A,0.101,0.098, ..
//! ..
//! H,0.110,0.092, ..
//! ```
//!
//! A grid is a line of column numbers 1, 2, 3 .. and rows that begin with `A`, `B` ..; a file may have several. Its channel is
//! the nearest line of one field above it that is no `name: value`; `value` where there is none. Of the rest, `Barcode`,
//! `Plate barcode`, `Plate ID` or `Plate-ID (Stacker)` names the plate where a barcode stands behind it. A bare `Plate` or
//! `Plate name` is a label: in some exports the barcode, in others the kind of plate (Tecan i-control: `Plate,,,,Greiner 96
//! Flat Bottom`). Everything else is passed over. Fields are apart by commas, semicolons or tabs, whichever the first line of
//! column numbers has; with semicolons and tabs, a decimal comma is one.

use super::number::{Number, number};
use super::reading::Collector;
use super::text::text;
use super::{ParseError, ParseProblem, ReaderFile};
use crate::labware::{Barcode, Well};

/// What a line that names the plate begins with.
const BARCODE: [&str; 6] =
    ["barcode", "plate barcode", "plate id", "plate-id", "plate-id (stacker)", "platten-id (stapler)"];
/// What a line begins with that may name the plate, or its kind.
const LABEL: [&str; 3] = ["plate", "plate name", "platte"];
/// The channel of a grid without a title.
const UNTITLED: &str = "value";

/// Reads a plate reader's grids.
pub fn plate_grid(bytes: &[u8]) -> Result<ReaderFile, ParseError> {
    let text = text(bytes)?;
    let Some(separator) = text
        .lines()
        .find_map(|line| [',', ';', '\t'].into_iter().find(|apart| columns(line, *apart).is_some()))
    else {
        return Err(ParseError::whole(ParseProblem::NoHeader(",1,2,3")));
    };
    if separator != ',' {
        no_thousands(&text, separator)?;
    }
    let mut collector = Collector::default();
    let mut channel: Option<String> = None;
    // Of the grid that the lines are in: its columns, and how many rows it has so far.
    let mut grid: Option<(usize, u32)> = None;
    for (line, content) in (1..).zip(text.lines()) {
        if let Some(count) = columns(content, separator) {
            grid = Some((count, 0));
            continue;
        }
        if let Some((count, rows)) = &mut grid {
            if is_row(content, separator, *rows) {
                let channel = channel.as_deref().unwrap_or(UNTITLED);
                row(&mut collector, (line, content), (separator, *count), *rows, channel)?;
                *rows += 1;
                continue;
            }
            (grid, channel) = (None, None);
        }
        head(&mut collector, content, separator, &mut channel)
            .map_err(|problem| ParseError::at(line, problem))?;
    }
    if collector.file.readings.is_empty() && collector.file.unreadable.is_empty() {
        return Err(ParseError::whole(ParseProblem::NoMeasurement));
    }
    Ok(collector.file)
}

/// Quoted fields keep their separators.
fn fields(line: &str, separator: char) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_reader(line.as_bytes());
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    record.iter().map(|field| field.trim().to_owned()).collect()
}

/// A comma is a decimal one. Where all that there are stand before three digits, and none behind a 0, they may be thousands.
fn no_thousands(text: &str, separator: char) -> Result<(), ParseError> {
    let mut first = None;
    for (line, content) in (1..).zip(text.lines()) {
        for field in fields(content, separator) {
            let Some((whole, rest)) = field.split_once(',') else { continue };
            let is_thousand = rest.len() == 3
                && rest.bytes().all(|b| b.is_ascii_digit())
                && whole.trim_start_matches('-') != "0";
            let is_number = whole.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
            if !is_number {
                continue;
            }
            if !is_thousand {
                return Ok(());
            }
            first.get_or_insert((line, field));
        }
    }
    match first {
        None => Ok(()),
        Some((line, text)) => Err(ParseError::at(line, ParseProblem::NotANumber { column: "a well", text })),
    }
}

/// How many columns a line of column numbers names: an empty field (or a corner), then 1, 2, 3 ..
fn columns(line: &str, separator: char) -> Option<usize> {
    let fields = fields(line, separator);
    let (corner, fields) = fields.split_first()?;
    if !(corner.is_empty() || corner == "<>") {
        return None;
    }
    let mut count = 0;
    let mut over = false;
    for field in fields {
        match field.parse::<usize>() {
            Ok(number) if number == count + 1 && !over => count = number,
            // Spreadsheets fill lines up.
            _ if field.is_empty() && count > 0 => over = true,
            _ => return None,
        }
    }
    (count >= 2).then_some(count)
}

/// The letters of row `index`, from 0: A to Z, AA to AF.
fn letters(index: u32) -> String {
    let letter = |index: u32| char::from(b'A' + u8::try_from(index % 26).unwrap_or(0));
    if index < 26 { letter(index).to_string() } else { format!("A{}", letter(index - 26)) }
}

fn is_row(line: &str, separator: char, index: u32) -> bool {
    line.contains(separator) && fields(line, separator).first() == Some(&letters(index))
}

fn row(
    collector: &mut Collector,
    (line, content): (u64, &str),
    (separator, count): (char, usize),
    index: u32,
    channel: &str,
) -> Result<(), ParseError> {
    let all = fields(content, separator);
    let values = all.get(1..).unwrap_or_default();
    // More than the columns would be two fields that were one: a decimal comma, a thousand.
    let is_too_wide = values.iter().skip(count).any(|field| !field.is_empty());
    if values.len() < count || is_too_wide {
        let (found, expected) = (all.len() as u64, count as u64 + 1);
        return Err(ParseError::at(line, ParseProblem::Fields { found, expected }));
    }
    for (column, field) in (1..).zip(values.iter().take(count)) {
        let well: Well = format!("{}{column}", letters(index))
            .parse()
            .map_err(|error| ParseError::at(line, ParseProblem::Well(error)))?;
        let decimal = if separator == ',' { field.clone() } else { field.replace(',', ".") };
        let value = match number(&decimal) {
            // A well that is not measured is empty, and not unreadable.
            Number::NoValue if field.is_empty() => continue,
            Number::Value(value) => Ok(value),
            Number::NoValue => Err(field.clone()),
            Number::Garbage => {
                let text = field.clone();
                return Err(ParseError::at(line, ParseProblem::NotANumber { column: "a well", text }));
            }
        };
        collector.add(line, well, channel, value, "").map_err(|problem| ParseError::at(line, problem))?;
    }
    Ok(())
}

/// A line outside all grids: it may name the plate, or the next grid.
fn head(
    collector: &mut Collector,
    line: &str,
    separator: char,
    channel: &mut Option<String>,
) -> Result<(), ParseProblem> {
    let fields = fields(line, separator);
    let filled: Vec<&str> = fields.iter().map(String::as_str).filter(|field| !field.is_empty()).collect();
    // A row of a grid whose columns are not named, or that does not begin with A, must not get lost.
    let is_letters =
        |field: &str| (1..=2).contains(&field.len()) && field.bytes().all(|b| b.is_ascii_uppercase());
    let is_number = |field: &&&str| matches!(number(&field.replace(',', ".")), Number::Value(_));
    if filled.first().is_some_and(|first| is_letters(first))
        && filled.iter().skip(1).filter(is_number).count() > 1
    {
        return Err(ParseProblem::NoHeader(",1,2,3"));
    }
    let [first, rest @ ..] = filled.as_slice() else { return Ok(()) };
    let (name, value) = match (first.split_once(':'), rest) {
        (Some((name, value)), []) if !value.trim().is_empty() => (name.trim(), value.trim()),
        (_, [value]) => (first.trim_end_matches(':').trim(), *value),
        (None, []) => (*first, ""),
        _ => return Ok(()),
    };
    let key = name.to_ascii_lowercase();
    let is_barcode = value.parse::<Barcode>().is_ok();
    if BARCODE.contains(&key.as_str()) {
        if is_barcode {
            Collector::say_once(&mut collector.file.plate, "Plate", value)?;
        }
    } else if LABEL.contains(&key.as_str()) {
        if is_barcode {
            collector.file.label.get_or_insert_with(|| value.to_owned());
        }
    } else if value.is_empty() {
        *channel = Some(name.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers::{Unreadable, WellReading};

    fn reading(well: &str, channel: &str, value: f64) -> WellReading {
        WellReading { well: well.parse().unwrap(), channel: channel.into(), value, unit: String::new() }
    }

    #[test]
    fn grids_read_to_their_wells_each_with_its_title() {
        let file = "Software Version,3.1\r\nPlate ID:,P-1\r\nRead: 2026-11-30\r\n\r\nsignal\r\n,1,2,3,,\r\nA,1.5,OVRFLW,,,\r\nB,2,3,4,,\r\n\r\nviability,,,\r\n<>,1,2\r\nA,0.9,0.8\r\n";
        let file = plate_grid(file.as_bytes()).unwrap();
        assert_eq!(file.plate.as_deref(), Some("P-1"));
        let expected = [
            reading("A1", "signal", 1.5),
            reading("B1", "signal", 2.0),
            reading("B2", "signal", 3.0),
            reading("B3", "signal", 4.0),
            reading("A1", "viability", 0.9),
            reading("A2", "viability", 0.8),
        ];
        assert_eq!(file.readings, expected);
        let overflow = Unreadable {
            well: "A2".parse().unwrap(),
            channel: "signal".into(),
            text: "OVRFLW".into(),
            line: 7,
        };
        assert_eq!(file.unreadable, [overflow]);
    }

    #[test]
    fn decimal_commas_are_read_where_fields_are_apart_by_something_else() {
        let file = plate_grid(b"Barcode;P-2\n;1;2\nA;0,5;1,25\n").unwrap();
        assert_eq!(file.plate.as_deref(), Some("P-2"));
        assert_eq!(file.readings, [reading("A1", "value", 0.5), reading("A2", "value", 1.25)]);
        assert_eq!(plate_grid(b"\t1\t2\nA\t1\t2\n").unwrap().readings.len(), 2);
    }

    /// As Tecan's i-control writes it.
    #[test]
    fn a_kind_of_plate_is_no_barcode_and_an_empty_one_no_title() {
        let export = |stacker: &str| {
            let text = format!(
                "Application: Tecan i-control,,,,\"Tecan i-control , 2.0.10.0\",,\nPlate,,,,Greiner 96 Flat Bottom,,\nPlate-ID (Stacker),,,,{stacker},,\n\nMode,,,,Absorbance,,\nOD600,,,,,,\nPlate,,,,,,\n<>,1,2,,,,\nA,0.1,0.2,,,,\n"
            );
            let file = plate_grid(text.as_bytes()).unwrap();
            assert_eq!(file.readings[0], reading("A1", "OD600", 0.1));
            (file.plate, file.label)
        };
        assert_eq!(export(""), (None, None));
        assert_eq!(export("not read"), (None, None));
        assert_eq!(export("P-1"), (Some("P-1".to_owned()), None));
    }

    #[test]
    fn a_bare_plate_is_a_label() {
        let names = |head: &str| {
            let file = plate_grid(format!("{head}\n,1,2\nA,1,2\n").as_bytes()).unwrap();
            (file.plate.unwrap_or_default(), file.label.unwrap_or_default())
        };
        let said = |plate: &str, label: &str| (plate.to_owned(), label.to_owned());
        assert_eq!(names("Plate: P-1"), said("", "P-1"));
        assert_eq!(names("Plate name,GRE96ft\nPlate,P-7\nBarcode,P-1"), said("P-1", "GRE96ft"));
        assert_eq!(names("Plate: Greiner 96"), said("", ""));
    }

    #[test]
    fn a_plate_of_1536_wells_has_rows_beyond_z() {
        let row = |index: u32| format!("{}{}\n", letters(index), ",1".repeat(48));
        let numbers: String = (1..=48).map(|column| format!(",{column}")).collect();
        let text = format!("{numbers}\n{}", (0..32).map(row).collect::<String>());
        let file = plate_grid(text.as_bytes()).unwrap();
        assert_eq!(file.readings.len(), 1_536);
        assert_eq!(file.readings.last().unwrap().well, "AF48".parse().unwrap());
    }

    #[test]
    fn an_error_names_its_line() {
        let error = |text: &str| plate_grid(text.as_bytes()).unwrap_err().to_string();
        insta::assert_snapshot!(error("signal\n,1,2,3\nA,1,2\n"), @"line 3: 3 fields, the header has 4");
        insta::assert_snapshot!(error("signal\n,1,2\nA,1,x\n"), @r#"line 3: a well "x" is not a number"#);
        insta::assert_snapshot!(error("x\n,1,2\nA,1,2\n\nx\n,1,2\nA,1,2\n"), @r#"line 7: well A1, channel "x" stands in line 3 already"#);
        insta::assert_snapshot!(error("Plate ID: P-1\nBarcode: P-2\n,1,2\nA,1,2\n"), @r#"line 2: Plate is said twice, as "P-1" and "P-2""#);
        insta::assert_snapshot!(error("signal\n,1,2\n"), @"nothing in the file looks like a measurement");
        insta::assert_snapshot!(error("x\n,1,2\nA,0,5,1,25\n"), @"line 3: 5 fields, the header has 3");
        insta::assert_snapshot!(error("x\n,1,2\nA,\"0,101\",\"0,098\"\n"), @r#"line 3: a well "0,101" is not a number"#);
        insta::assert_snapshot!(error("x\n;1;2\nA;12,345;999\n"), @r#"line 3: a well "12,345" is not a number"#);
        insta::assert_snapshot!(error("x\n,1,2\nA,1,2\n\nB,3,4\n"), @r#"line 5: no line ",1,2,3""#);
        insta::assert_snapshot!(error("x\n,1,2\nB,1,2\n"), @r#"line 3: no line ",1,2,3""#);
        insta::assert_snapshot!(error("nothing"), @r#"no line ",1,2,3""#);
    }
}
