//! A table as columns, out of Parquet or CSV. Told apart by Parquet's magic bytes.

use crate::{Error, Result};
use arrow_array::{Array, Float32Array, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::HashMap;

/// What to read a column as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    Number,
}

/// Words kept once, rows as indices into them: genes and screens repeat millions of times.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub codes: Vec<u32>,
    pub words: Vec<String>,
    index: HashMap<String, u32>,
}

impl Words {
    /// `word` in each of `rows` rows.
    pub fn same(word: &str, rows: usize) -> Self {
        Self { codes: vec![0; rows], words: vec![word.to_owned()], index: HashMap::new() }
    }

    fn push(&mut self, word: &str) {
        let code = match self.index.get(word) {
            Some(&code) => code,
            None => {
                let code = u32::try_from(self.words.len()).expect("fewer than 2^32 distinct words");
                self.words.push(word.to_owned());
                self.index.insert(word.to_owned(), code);
                code
            }
        };
        self.codes.push(code);
    }

    pub fn at(&self, row: usize) -> Option<&str> {
        let &code = self.codes.get(row)?;
        self.words.get(code as usize).map(String::as_str)
    }

    /// Row by row.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().filter_map(|&code| self.words.get(code as usize)).map(String::as_str)
    }
}

#[derive(Clone, Debug)]
pub enum Column {
    Text(Words),
    /// Empty cells are NaN.
    Number(Vec<f32>),
}

/// Columns of equal length, in the file's order.
#[derive(Clone, Debug)]
pub struct Table {
    what: &'static str,
    pub rows: usize,
    pub columns: Vec<(String, Column)>,
}

impl Table {
    /// Reads `bytes`. `choose` says what to read each column as; `None` leaves it out.
    pub fn read(
        what: &'static str,
        bytes: &[u8],
        choose: impl Fn(&str) -> Option<ColumnKind>,
    ) -> Result<Self> {
        if bytes.starts_with(b"PAR1") {
            read_parquet(what, bytes, &choose)
        } else {
            read_csv(what, bytes, &choose)
        }
    }

    pub fn text(&self, name: &str) -> Result<&Words> {
        self.find(name)
            .and_then(|column| match column {
                Column::Text(words) => Some(words),
                Column::Number(_) => None,
            })
            .ok_or_else(|| self.missing(name))
    }

    pub fn number(&self, name: &str) -> Result<&[f32]> {
        self.find(name)
            .and_then(|column| match column {
                Column::Number(values) => Some(values.as_slice()),
                Column::Text(_) => None,
            })
            .ok_or_else(|| self.missing(name))
    }

    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, column)| column)
    }

    fn missing(&self, name: &str) -> Error {
        Error::MissingColumn { table: self.what, column: name.to_owned() }
    }
}

fn read_parquet(
    what: &'static str,
    bytes: &[u8],
    choose: &impl Fn(&str) -> Option<ColumnKind>,
) -> Result<Table> {
    let unreadable = |error: &dyn std::fmt::Display| Error::Table { table: what, reason: error.to_string() };
    let owned = bytes::Bytes::copy_from_slice(bytes);
    let builder = ParquetRecordBatchReaderBuilder::try_new(owned).map_err(|e| unreadable(&e))?;
    let mut columns = Vec::new();
    let mut wanted = Vec::new();
    for (position, field) in builder.schema().fields().iter().enumerate() {
        if let Some(kind) = choose(field.name()) {
            wanted.push(position);
            columns.push((field.name().clone(), empty_column(kind)));
        }
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder.with_projection(mask).with_batch_size(65_536).build().map_err(|e| unreadable(&e))?;
    let mut rows = 0;
    for batch in reader {
        let batch = batch.map_err(|e| unreadable(&e))?;
        for (array, (name, column)) in batch.columns().iter().zip(&mut columns) {
            append_array(array, column)
                .map_err(|e| unreadable(&e))?
                .map_or(Ok(()), |(row, cell)| Err(not_a_number(what, rows + row + 1, name, &cell)))?;
        }
        rows += batch.num_rows();
    }
    Ok(Table { what, rows, columns })
}

fn empty_column(kind: ColumnKind) -> Column {
    match kind {
        ColumnKind::Text => Column::Text(Words::default()),
        ColumnKind::Number => Column::Number(Vec::new()),
    }
}

/// Numbers may be words, as in CSV; says the first cell that is none, by its row.
fn append_array(
    array: &dyn Array,
    column: &mut Column,
) -> std::result::Result<Option<(usize, String)>, arrow_schema::ArrowError> {
    match column {
        Column::Text(words) => {
            let cast = cast(array, &DataType::Utf8)?;
            if let Some(texts) = cast.as_any().downcast_ref::<StringArray>() {
                texts.iter().for_each(|text| words.push(text.unwrap_or_default()));
            }
        }
        Column::Number(values) if is_text(array.data_type()) => {
            let cast = cast(array, &DataType::Utf8)?;
            let texts = cast.as_any().downcast_ref::<StringArray>();
            for (row, text) in texts.iter().flat_map(|texts| texts.iter()).enumerate() {
                let cell = text.unwrap_or_default();
                let Some(value) = parse_number(cell) else { return Ok(Some((row, cell.to_owned()))) };
                values.push(value);
            }
        }
        Column::Number(values) => {
            let cast = cast(array, &DataType::Float32)?;
            if let Some(numbers) = cast.as_any().downcast_ref::<Float32Array>() {
                values.extend(numbers.iter().map(|number| number.unwrap_or(f32::NAN)));
            }
        }
    }
    Ok(None)
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, of) => is_text(of),
        _ => false,
    }
}

fn read_csv(what: &'static str, bytes: &[u8], choose: &impl Fn(&str) -> Option<ColumnKind>) -> Result<Table> {
    let mut reader = csv::Reader::from_reader(bytes);
    let unreadable = |error: csv::Error| Error::Table { table: what, reason: error.to_string() };
    let mut columns: Vec<Option<(String, Column)>> = reader
        .headers()
        .map_err(unreadable)?
        .iter()
        .map(|name| choose(name).map(|kind| (name.to_owned(), empty_column(kind))))
        .collect();
    let mut rows = 0;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        rows += 1;
        for (cell, column) in record.iter().zip(&mut columns) {
            match column {
                Some((_, Column::Text(words))) => words.push(cell),
                Some((name, Column::Number(values))) => {
                    values.push(parse_number(cell).ok_or_else(|| not_a_number(what, rows, name, cell))?);
                }
                None => {}
            }
        }
    }
    Ok(Table { what, rows, columns: columns.into_iter().flatten().collect() })
}

/// Also takes `true`, `false`, `yes` and `no`, in any case; an empty cell is NaN.
fn parse_number(cell: &str) -> Option<f32> {
    let cell = cell.trim();
    let is = |words: [&str; 2]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    match cell {
        "" | "NA" | "nan" | "NaN" => Some(f32::NAN),
        _ if is(["true", "yes"]) => Some(1.0),
        _ if is(["false", "no"]) => Some(0.0),
        other => other.parse().ok(),
    }
}

fn not_a_number(table: &'static str, row: usize, column: &str, cell: &str) -> Error {
    Error::Row { table, row, reason: format!("{column:?} is {cell:?}, not a number") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{BooleanArray, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use std::sync::Arc;

    fn parquet(array: impl Array + 'static) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter([("hit", Arc::new(array) as Arc<dyn Array>)]).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<f32>> {
        let table = Table::read("screen", bytes, |_| Some(ColumnKind::Number))?;
        Ok(table.number("hit")?.to_vec())
    }

    #[test]
    fn calls_in_words_are_read_from_either_kind_of_file() {
        let words = ["TRUE", "false", "Yes", "nO", "1", "0"];
        let csv = words.iter().fold(String::from("hit\n"), |text, word| format!("{text}{word}\n"));
        let expected = [1., 0., 1., 0., 1., 0.];
        assert_eq!(read(csv.as_bytes()).unwrap(), expected);
        assert_eq!(read(&parquet(StringArray::from(words.to_vec()))).unwrap(), expected);
        assert_eq!(read(&parquet(BooleanArray::from(vec![true, false]))).unwrap(), [1., 0.]);
        let gap = read(&parquet(StringArray::from(vec![Some("yes"), None, Some("")]))).unwrap();
        assert!(gap[0] == 1.0 && gap[1].is_nan() && gap[2].is_nan());
        let slip = read(&parquet(StringArray::from(vec!["yes", "maybe"]))).unwrap_err();
        assert_eq!(slip.to_string(), "the screen, row 2: \"hit\" is \"maybe\", not a number");
    }
}
