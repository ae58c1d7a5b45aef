//! Text files as lines and tables with line numbers.

use super::reading::check_size;
use super::{ParseError, ParseProblem};
use encoding_rs::{Encoding, WINDOWS_1252};
use std::borrow::Cow;

/// What instruments' software calls text: UTF-16 where a byte order mark says so, UTF-8 where it is that, else the code page
/// of western Windows, in which every byte is a character. Without the byte order mark.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match (Encoding::for_bom(bytes), std::str::from_utf8(bytes)) {
        (Some((encoding, mark)), _) => {
            encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()).0
        }
        (None, Ok(text)) => Cow::Borrowed(text),
        (None, Err(_)) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// `bytes` as text, unless they are too many.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, ParseError> {
    check_size(bytes)?;
    Ok(decode(bytes))
}

/// One row of a table, its fields trimmed.
pub(super) struct Row {
    /// From 1, in the whole file.
    pub line: u64,
    fields: Vec<String>,
}

/// A CSV table with a header.
pub(super) struct Table {
    header: Vec<String>,
    pub rows: Vec<Row>,
}

/// Reads `text` as a CSV table whose first line is line `first_line` of the file (from 1). Rows may be
/// longer than the header by empty fields, which spreadsheets add; blank rows are skipped.
pub(super) fn table(text: &str, first_line: u64) -> Result<Table, ParseError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut header: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut lines = LineCounter { text, line: first_line, counted_to: 0 };
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = lines.line_at(error.position().map_or(0, csv::Position::byte));
            ParseError::at(line, ParseProblem::NotCsv(error.to_string()))
        })?;
        let line = lines.line_at(record.position().map_or(0, csv::Position::byte));
        let mut fields: Vec<String> = record.iter().map(str::to_owned).collect();
        if fields.iter().all(String::is_empty) {
            continue;
        }
        let Some(header) = &header else {
            while fields.last().is_some_and(String::is_empty) {
                fields.pop();
            }
            header = Some(check_header(fields, line)?);
            continue;
        };
        while fields.len() > header.len() && fields.last().is_some_and(String::is_empty) {
            fields.pop();
        }
        if fields.len() != header.len() {
            let (found, expected) = (fields.len() as u64, header.len() as u64);
            return Err(ParseError::at(line, ParseProblem::Fields { found, expected }));
        }
        rows.push(Row { line, fields });
    }
    Ok(Table { header: header.unwrap_or_default(), rows })
}

/// Line of a record by its byte: the reader's own count is one short where lines end in CRLF.
struct LineCounter<'a> {
    text: &'a str,
    line: u64,
    counted_to: usize,
}

impl LineCounter<'_> {
    /// Line of the first byte at or after `byte` that ends no line. `byte` never goes back.
    fn line_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        let rest = self.text.as_bytes().get(self.counted_to..).unwrap_or_default();
        for (offset, character) in rest.iter().enumerate() {
            let at = self.counted_to + offset;
            if at >= byte && !matches!(character, b'\r' | b'\n') {
                self.counted_to = at;
                return self.line;
            }
            self.line += u64::from(*character == b'\n');
        }
        self.counted_to = self.text.len();
        self.line
    }
}

fn check_header(header: Vec<String>, line: u64) -> Result<Vec<String>, ParseError> {
    for (index, name) in header.iter().enumerate() {
        let earlier = header.iter().take(index).any(|other| other.eq_ignore_ascii_case(name));
        if earlier && !name.is_empty() {
            return Err(ParseError::at(line, ParseProblem::ColumnTwice(name.clone())));
        }
    }
    Ok(header)
}

impl Table {
    /// Where column `name` stands; case does not matter.
    pub fn column(&self, name: &'static str, header_line: u64) -> Result<usize, ParseError> {
        self.optional_column(name).ok_or_else(|| ParseError::at(header_line, ParseProblem::NoColumn(name)))
    }

    pub fn optional_column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column.eq_ignore_ascii_case(name))
    }
}

impl Row {
    /// The field in `column`; empty when the row has none there.
    pub fn field(&self, column: usize) -> &str {
        self.fields.get(column).map_or("", String::as_str)
    }

    pub fn required(&self, column: usize, name: &'static str) -> Result<&str, ParseError> {
        match self.field(column) {
            "" => Err(ParseError::at(self.line, ParseProblem::Empty(name))),
            text => Ok(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_however_an_instruments_software_writes_it() {
        let said = "Temperature: 23.1 \u{b0}C\r\n";
        let utf_16: Vec<u16> = said.encode_utf16().collect();
        let marked = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            mark.into_iter().chain(utf_16.iter().copied().flat_map(bytes)).collect()
        };
        for bytes in [
            said.as_bytes().to_vec(),
            format!("\u{feff}{said}").into_bytes(),
            b"Temperature: 23.1 \xb0C\r\n".to_vec(),
            marked([0xff, 0xfe], u16::to_le_bytes),
            marked([0xfe, 0xff], u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes), said, "{bytes:?}");
        }
        assert_eq!(decode(b"\xff\xfe"), "");
    }
}
