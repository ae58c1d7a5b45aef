//! Leaves sibling studies out of a long prior file before it is uploaded.
//!
//! A long file has a column `screen_id`; `screens.csv` beside it says which `group` (study) each screen
//! belongs to. Screens of the same laboratory and readout family never serve as each other's prior.

use anyhow::{Context, bail};
use arrow::array::{Array, BooleanArray, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::collections::BTreeSet;
use std::path::Path;

/// `bytes` of the Parquet file at `path` without the screens of `groups`.
///
/// Errors when a group is unknown: a misspelt sibling would leak unnoticed.
pub fn without_groups(path: &Path, bytes: Vec<u8>, groups: &[String]) -> anyhow::Result<Vec<u8>> {
    if groups.is_empty() {
        return Ok(bytes);
    }
    let excluded = screens_of(&path.with_file_name("screens.csv"), groups)?;
    filter(bytes.into(), &excluded).with_context(|| format!("cannot leave screens out of {}", path.display()))
}

fn screens_of(table: &Path, groups: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let mut reader = csv::Reader::from_path(table).with_context(|| {
        format!("groups are excluded, but {} is not there to say which screens they are", table.display())
    })?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .with_context(|| format!("{} has no column {name:?}", table.display()))
    };
    let (screen, group) = (column("screen_id")?, column("group")?);
    let mut known = BTreeSet::new();
    let mut screens = BTreeSet::new();
    for record in reader.records() {
        let record = record?;
        let name = record.get(group).unwrap_or_default();
        known.insert(name.to_owned());
        if groups.iter().any(|wanted| wanted == name) {
            screens.insert(record.get(screen).unwrap_or_default().to_owned());
        }
    }
    if let Some(unknown) = groups.iter().find(|group| !known.contains(*group)) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        bail!("{} names no group {unknown:?}; it has: {}", table.display(), known.join(", "));
    }
    Ok(screens)
}

fn filter(bytes: Bytes, excluded: &BTreeSet<String>) -> anyhow::Result<Vec<u8>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let schema = builder.schema().clone();
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut kept = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut kept, schema, Some(properties))?;
    for batch in builder.build()? {
        let batch = batch?;
        let column = batch
            .column_by_name("screen_id")
            .context("it has no column `screen_id`: groups can only be excluded from a long prior file")?;
        let names = cast(column, &DataType::Utf8)?;
        let names = names.as_any().downcast_ref::<StringArray>().context("screen_id is not text")?;
        let mask: BooleanArray =
            names.iter().map(|name| Some(name.is_some_and(|name| !excluded.contains(name)))).collect();
        writer.write(&filter_record_batch(&batch, &mask)?)?;
    }
    writer.close()?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float32Array, RecordBatch};
    use std::sync::Arc;

    fn long_file(folder: &Path) -> std::path::PathBuf {
        let batch = RecordBatch::try_from_iter([
            ("screen_id", Arc::new(StringArray::from(vec!["a", "b", "a"])) as Arc<dyn Array>),
            ("gene", Arc::new(StringArray::from(vec!["X", "X", "Y"]))),
            ("score", Arc::new(Float32Array::from(vec![1.0, 2.0, 3.0]))),
        ])
        .expect("columns are of one length");
        let path = folder.join("long.parquet");
        let mut writer =
            ArrowWriter::try_new(std::fs::File::create(&path).expect("writable"), batch.schema(), None)
                .expect("a schema Parquet can hold");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        std::fs::write(folder.join("screens.csv"), "screen_id,group\na,siblings\nb,others\n")
            .expect("writable");
        path
    }

    fn screens_in(bytes: Vec<u8>) -> usize {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).expect("a Parquet file");
        reader.build().expect("readable").map(|batch| batch.expect("a batch").num_rows()).sum()
    }

    #[test]
    fn excluded_siblings_do_not_reach_the_learner() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = long_file(folder.path());
        let bytes = std::fs::read(&path).expect("just written");
        assert_eq!(
            screens_in(without_groups(&path, bytes.clone(), &["siblings".into()]).expect("filtered")),
            1
        );
        assert_eq!(screens_in(without_groups(&path, bytes, &[]).expect("whole")), 3);
    }

    #[test]
    fn a_misspelt_group_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = long_file(folder.path());
        let bytes = std::fs::read(&path).expect("just written");
        let error = without_groups(&path, bytes, &["sibling".into()]).expect_err("no such group");
        assert!(error.to_string().contains("siblings"), "{error}");
    }
}
