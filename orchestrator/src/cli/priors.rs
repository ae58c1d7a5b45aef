//! Says in a long prior file which group (study) each screen belongs to and how it is described, before it is uploaded.
//!
//! A long file has a column `screen_id`; many have no `group` and a table `screens.csv` beside them that does.
//! Where groups are to be left out, the file goes up with that column; where the campaign describes its screen, with the
//! descriptions as well. Nothing is left out here: the server refuses a name that fits no screen, and the learner leaves
//! the screens out.

use anyhow::Context;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use jobs::work::description::Description;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// `bytes` of the prior file at `path`, with a column `group` where it has a `screen_id`, no `group`, and a
/// `screens.csv` beside it; `described`: also with the columns that describe screens, those that the table has and the
/// file has not. The same bytes for the same files.
pub fn with_groups(path: &Path, bytes: Vec<u8>, described: bool) -> anyhow::Result<Vec<u8>> {
    let table = path.with_file_name("screens.csv");
    if !table.exists() {
        return Ok(bytes);
    }
    let screens = Screens::read(&table, described)?;
    let added =
        if bytes.starts_with(b"PAR1") { to_parquet(&bytes, &screens) } else { to_csv(&bytes, &screens) };
    Ok(added.with_context(|| format!("cannot say the groups in {}", path.display()))?.unwrap_or(bytes))
}

/// What a `screens.csv` says.
struct Screens {
    columns: Vec<&'static str>,
    /// By `screen_id`: a cell a column.
    cells: HashMap<String, Vec<String>>,
}

impl Screens {
    fn read(table: &Path, described: bool) -> anyhow::Result<Self> {
        let unreadable = || format!("cannot read {}", table.display());
        let mut reader = csv::Reader::from_path(table).with_context(unreadable)?;
        let headers = reader.headers().with_context(unreadable)?.clone();
        let find = |name: &str| headers.iter().position(|header| header == name);
        let column =
            |name: &str| find(name).with_context(|| format!("{} has no column {name:?}", table.display()));
        let (screen, group) = (column("screen_id")?, column("group")?);
        let attributes = Description::ATTRIBUTES.into_iter().filter(|_| described);
        let places: Vec<(&str, usize)> = std::iter::once(("group", group))
            .chain(attributes.filter_map(|name| Some((name, find(name)?))))
            .collect();
        let mut cells = HashMap::new();
        for record in reader.records() {
            let record = record.with_context(unreadable)?;
            let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
            cells.insert(cell(screen), places.iter().map(|(_, at)| cell(*at)).collect());
        }
        Ok(Self { columns: places.into_iter().map(|(name, _)| name).collect(), cells })
    }

    /// Names and places of the columns that `has` does not know.
    fn missing(&self, has: impl Fn(&str) -> bool) -> Vec<(&'static str, usize)> {
        self.columns.iter().copied().zip(0..).filter(|(name, _)| !has(name)).collect()
    }

    fn cell(&self, id: Option<&str>, place: usize) -> Option<&str> {
        self.cells.get(id?)?.get(place).map(String::as_str)
    }
}

/// `None`: it is no long file, or says all itself.
fn to_parquet(bytes: &[u8], screens: &Screens) -> anyhow::Result<Option<Vec<u8>>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes))?;
    let schema = builder.schema().clone();
    let missing = screens.missing(|name| schema.index_of(name).is_ok());
    if schema.index_of("screen_id").is_err() || missing.is_empty() {
        return Ok(None);
    }
    let more = missing.iter().map(|(name, _)| Arc::new(Field::new(*name, DataType::Utf8, true)));
    let fields = schema.fields().iter().cloned().chain(more).collect::<Vec<_>>();
    let schema = Arc::new(Schema::new(fields));
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut written = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut written, schema.clone(), Some(properties))?;
    for batch in builder.build()? {
        let batch = batch?;
        let ids = cast(batch.column_by_name("screen_id").context("no screen_id")?, &DataType::Utf8)?;
        let ids = ids.as_any().downcast_ref::<StringArray>().context("screen_id is not text")?;
        let column = |(_, place): &(&str, usize)| -> ArrayRef {
            Arc::new(ids.iter().map(|id| screens.cell(id, *place)).collect::<StringArray>())
        };
        let columns = batch.columns().iter().cloned().chain(missing.iter().map(column)).collect();
        writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
    }
    writer.close()?;
    Ok(Some(written))
}

fn to_csv(bytes: &[u8], screens: &Screens) -> anyhow::Result<Option<Vec<u8>>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let mut headers = reader.headers()?.clone();
    let Some(id) = headers.iter().position(|header| header == "screen_id") else { return Ok(None) };
    let missing = screens.missing(|name| headers.iter().any(|header| header == name));
    if missing.is_empty() {
        return Ok(None);
    }
    missing.iter().for_each(|(name, _)| headers.push_field(name));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headers)?;
    for record in reader.records() {
        let mut record = record?;
        let id = record.get(id).map(str::to_owned);
        for (_, place) in &missing {
            record.push_field(screens.cell(id.as_deref(), *place).unwrap_or_default());
        }
        writer.write_record(&record)?;
    }
    Ok(Some(writer.into_inner().map_err(|error| error.into_error())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::prior_screens::{ScreenName, require_groups, screens_of};
    use arrow_array::Float32Array;
    use std::path::PathBuf;

    fn parquet_beside_its_table(folder: &Path) -> PathBuf {
        let batch = RecordBatch::try_from_iter([
            ("screen_id", Arc::new(StringArray::from(vec!["a", "b", "a"])) as ArrayRef),
            ("gene", Arc::new(StringArray::from(vec!["X", "X", "Y"]))),
            ("score", Arc::new(Float32Array::from(vec![1.0, 2.0, 3.0]))),
        ])
        .expect("columns are of one length");
        let path = folder.join("long.parquet");
        let file = std::fs::File::create(&path).expect("writable");
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema Parquet can hold");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        beside(folder);
        path
    }

    fn beside(folder: &Path) {
        std::fs::write(folder.join("screens.csv"), "screen_id,group\na,siblings\nb,others\n")
            .expect("writable");
    }

    fn named(bytes: Vec<u8>) -> Vec<(String, String)> {
        let screens = screens_of(&bytes.into()).expect("a table");
        screens.into_iter().map(|ScreenName { id, group }| (id, group)).collect()
    }

    fn both() -> Vec<(String, String)> {
        [("a", "siblings"), ("b", "others")].map(|(id, group)| (id.to_owned(), group.to_owned())).to_vec()
    }

    #[test]
    fn a_long_file_goes_up_with_the_groups_of_the_table_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = parquet_beside_its_table(folder.path());
        let bytes = std::fs::read(&path).expect("just written");
        let with = with_groups(&path, bytes.clone(), false).expect("said");
        assert_eq!(named(with.clone()), both());
        assert_eq!(with, with_groups(&path, bytes, false).expect("said again"), "the same bytes each time");
        require_groups(&["siblings".into()], &[with.into()]).expect("now it is known");
    }

    #[test]
    fn so_does_one_in_csv_and_one_that_says_its_groups_goes_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        beside(folder.path());
        let path = folder.path().join("long.csv");
        let with = with_groups(&path, b"screen_id,gene,score\na,X,1\nb,X,2\n".to_vec(), false).expect("said");
        assert_eq!(named(with.clone()), both());
        assert_eq!(with_groups(&path, with.clone(), false).expect("said already"), with);
        let single = b"gene,score\nX,1\n".to_vec();
        assert_eq!(with_groups(&path, single.clone(), true).expect("no long file"), single);
    }

    #[test]
    fn a_file_goes_up_with_the_descriptions_of_its_screens_where_they_are_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let table =
            "screen_id,group,cell,note,library\na,siblings,\"primary T, CD4\",x,KO\nb,others,K562,y,a\n";
        std::fs::write(folder.path().join("screens.csv"), table).expect("writable");
        let path = folder.path().join("long.csv");
        let with = with_groups(&path, b"screen_id,gene,score,library\na,X,1,i\nc,X,2,i\n".to_vec(), true);
        let text = String::from_utf8(with.expect("said")).expect("text");
        let expected =
            "screen_id,gene,score,library,group,cell\na,X,1,i,siblings,\"primary T, CD4\"\nc,X,2,i,,\n";
        assert_eq!(
            text, expected,
            "what the file says itself stays; of a screen that the table does not know, nothing"
        );
    }
}
