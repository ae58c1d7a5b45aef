//! Text files as lines and tables with line numbers.

use super::reading::check_size;
use super::{ParseError, ParseProblem};

/// `bytes` as text, without a byte order mark.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ParseError> {
    check_size(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        ParseError::at(lines as u64 + 1, ParseProblem::NotUtf8)
    })?;
    Ok(text.trim_start_matches('\u{feff}'))
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
