//! Reads a measured screen from Parquet or CSV: `gene, score, hit` or `gene_a, gene_b, gi_score, hit`.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::path::{Path, PathBuf};

/// One measured perturbation.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One gene or two.
    pub genes: Vec<String>,
    pub score: f64,
    pub hit: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("opening {path}")]
    Open {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("reading {path} as Parquet")]
    Parquet {
        path: PathBuf,
        #[source]
        source: parquet::errors::ParquetError,
    },
    #[error("reading a batch of {path}")]
    Batch {
        path: PathBuf,
        #[source]
        source: arrow_schema::ArrowError,
    },
    #[error("reading {path} as CSV")]
    Csv {
        path: PathBuf,
        #[source]
        source: csv::Error,
    },
    #[error(
        "{path} has no column {column}; a screen needs gene, score, hit or gene_a, gene_b, gi_score, hit"
    )]
    NoColumn { path: PathBuf, column: String },
    #[error("{path}: row {row}: {column} is {value:?}, not a number")]
    NotANumber { path: PathBuf, row: usize, column: String, value: String },
    #[error("{0} holds no measured perturbation")]
    Empty(PathBuf),
}

/// Rows with a score; those without a name or a finite score, and repeats of a perturbation, are left
/// out with a warning.
pub fn read(path: &Path) -> Result<Vec<Row>, Error> {
    let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
    let columns = if is_parquet { parquet_columns(path)? } else { csv_columns(path)? };
    let rows = rows_of(path, &columns)?;
    let count = rows.len();
    let kept = keep_first(rows);
    if kept.len() < count {
        tracing::warn!(path = %path.display(), left_out = count - kept.len(), "rows without name or score, or repeated");
    }
    if kept.is_empty() { Err(Error::Empty(path.to_owned())) } else { Ok(kept) }
}

/// All columns as text, by name: the common ground of both formats.
struct Columns(Vec<(String, Vec<String>)>);

impl Columns {
    fn find(&self, name: &str) -> Option<&[String]> {
        self.0.iter().find(|(column, _)| column == name).map(|(_, values)| values.as_slice())
    }

    fn get(&self, path: &Path, name: &str) -> Result<&[String], Error> {
        self.find(name).ok_or_else(|| Error::NoColumn { path: path.to_owned(), column: name.to_owned() })
    }

    fn numbers(&self, path: &Path, name: &str) -> Result<Vec<f64>, Error> {
        let parse = |(row, text): (usize, &String)| match text.trim() {
            "" => Ok(f64::NAN),
            "true" | "True" => Ok(1.0),
            "false" | "False" => Ok(0.0),
            text => text.parse().map_err(|_| Error::NotANumber {
                path: path.to_owned(),
                row: row + 1,
                column: name.to_owned(),
                value: text.to_owned(),
            }),
        };
        self.get(path, name)?.iter().enumerate().map(parse).collect()
    }
}

fn rows_of(path: &Path, columns: &Columns) -> Result<Vec<Row>, Error> {
    let (names, score) = if columns.find("gene_a").is_some() {
        (vec![columns.get(path, "gene_a")?, columns.get(path, "gene_b")?], "gi_score")
    } else {
        (vec![columns.get(path, "gene")?], "score")
    };
    let scores = columns.numbers(path, score)?;
    let hits = columns.numbers(path, "hit")?;
    let row = |(index, (score, hit)): (usize, (&f64, &f64))| Row {
        genes: names.iter().filter_map(|column| column.get(index).cloned()).collect(),
        score: *score,
        hit: *hit > 0.5,
    };
    Ok(scores.iter().zip(&hits).enumerate().map(row).collect())
}

fn keep_first(rows: Vec<Row>) -> Vec<Row> {
    let mut seen = std::collections::HashSet::new();
    let usable = |gene: &String| {
        !gene.is_empty()
            && gene.trim() == gene
            && !gene.contains(['+', ','])
            && crate::liquid::context_of_cells(gene).is_none()
            && !matches!(gene.as_str(), crate::liquid::NEGATIVE | crate::liquid::POSITIVE)
    };
    rows.into_iter()
        .filter(|row| row.score.is_finite() && row.genes.iter().all(usable))
        .filter(|row| {
            let mut key = row.genes.clone();
            key.sort();
            seen.insert(key)
        })
        .collect()
}

fn csv_columns(path: &Path) -> Result<Columns, Error> {
    let error = |source| Error::Csv { path: path.to_owned(), source };
    let mut reader = csv::Reader::from_path(path).map_err(error)?;
    let mut columns: Vec<(String, Vec<String>)> =
        reader.headers().map_err(error)?.iter().map(|name| (name.trim().to_owned(), Vec::new())).collect();
    for record in reader.records() {
        let record = record.map_err(error)?;
        for ((_, values), field) in columns.iter_mut().zip(&record) {
            values.push(field.to_owned());
        }
    }
    Ok(Columns(columns))
}

fn parquet_columns(path: &Path) -> Result<Columns, Error> {
    let parquet_error = |source| Error::Parquet { path: path.to_owned(), source };
    let batch_error = |source| Error::Batch { path: path.to_owned(), source };
    let file = File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(parquet_error)?
        .build()
        .map_err(parquet_error)?;
    let mut columns: Vec<(String, Vec<String>)> = Vec::new();
    for batch in reader {
        let batch = batch.map_err(batch_error)?;
        for (index, field) in batch.schema().fields().iter().enumerate() {
            if columns.len() <= index {
                columns.push((field.name().clone(), Vec::new()));
            }
            if let Some((_, values)) = columns.get_mut(index) {
                append_as_text(batch.column(index), values).map_err(batch_error)?;
            }
        }
    }
    Ok(Columns(columns))
}

fn append_as_text(column: &ArrayRef, values: &mut Vec<String>) -> Result<(), arrow_schema::ArrowError> {
    if column.data_type().is_numeric() {
        // Through f64, so that a number reads back as itself.
        let numbers = cast(column, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        values.extend(numbers.iter().map(|number| number.map(|n| n.to_string()).unwrap_or_default()));
    } else {
        let texts = cast(column, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        values.extend(texts.iter().map(|text| text.unwrap_or_default().to_owned()));
    }
    Ok(())
}
