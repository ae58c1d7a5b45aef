//! The screens that a prior file holds, and by which names they can be left out.
//!
//! Studies that must not be learnt from are named in the campaign file, and left out by the learner. A name
//! that fits nothing would leave nothing out, and nobody would see it: so it is refused when the campaign is created.

use arrow_array::{Array, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use bytes::Bytes;
use jobs::work::learn::names_of_screen;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeSet;

/// What is wrong with the groups that are to be left out, or with a prior file.
#[derive(Debug, thiserror::Error)]
pub enum PriorError {
    /// A name that no screen has.
    #[error("no screen of the priors is named {group:?} (by its group, its screen_id, or what stands before the first _); {}", there_are(.known))]
    UnknownGroup { group: String, known: Vec<String> },
    #[error("a prior file cannot be read as a table: {0}")]
    NotATable(String),
}

impl PriorError {
    /// Stable; for interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            PriorError::UnknownGroup { .. } => "campaign.prior_group_unknown",
            PriorError::NotATable(_) => "campaign.prior_unreadable",
        }
    }
}

/// Most names that a refusal lists.
const LISTED: usize = 80;

fn there_are(names: &[String]) -> String {
    match names.len() {
        0 => "the priors hold no screens that have names: only a long file does, with a column `screen_id`"
            .to_owned(),
        count if count > LISTED => format!("there are {count}, first: {}", names[..LISTED].join(", ")),
        _ => format!("there are: {}", names.join(", ")),
    }
}

/// A screen of a long file; the group is empty where the file has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScreenName {
    pub id: String,
    pub group: String,
}

/// Refuses the first of `groups` that names no screen of `priors`, with the names that there are.
pub fn require_groups(groups: &[String], priors: &[Bytes]) -> Result<(), PriorError> {
    if groups.is_empty() {
        return Ok(());
    }
    let mut screens = BTreeSet::new();
    for prior in priors {
        screens.extend(screens_of(prior)?);
    }
    let names = |screen: &ScreenName, group: &String| {
        names_of_screen(&screen.id, &screen.group).any(|name| name == group)
    };
    match groups.iter().find(|group| !screens.iter().any(|screen| names(screen, group))) {
        None => Ok(()),
        Some(group) => Err(PriorError::UnknownGroup { group: group.clone(), known: groups_of(&screens) }),
    }
}

/// The group of each screen, else its id.
fn groups_of(screens: &BTreeSet<ScreenName>) -> Vec<String> {
    let name = |screen: &ScreenName| {
        if screen.group.is_empty() { screen.id.clone() } else { screen.group.clone() }
    };
    screens.iter().map(name).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The screens of a long prior file (Parquet or CSV, told apart by Parquet's magic bytes); none of another one.
pub fn screens_of(file: &Bytes) -> Result<BTreeSet<ScreenName>, PriorError> {
    if file.starts_with(b"PAR1") { of_parquet(file) } else { of_csv(file) }
}

fn of_csv(file: &[u8]) -> Result<BTreeSet<ScreenName>, PriorError> {
    let unreadable = |error: csv::Error| PriorError::NotATable(error.to_string());
    let mut reader = csv::Reader::from_reader(file);
    let headers = reader.headers().map_err(unreadable)?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let Some(id) = column("screen_id") else { return Ok(BTreeSet::new()) };
    let group = column("group");
    let mut screens = BTreeSet::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let cell =
            |column: Option<usize>| column.and_then(|at| record.get(at)).unwrap_or_default().to_owned();
        screens.insert(ScreenName { id: cell(Some(id)), group: cell(group) });
    }
    Ok(screens)
}

fn of_parquet(file: &Bytes) -> Result<BTreeSet<ScreenName>, PriorError> {
    let unreadable = |error: &dyn std::fmt::Display| PriorError::NotATable(error.to_string());
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file.clone()).map_err(|error| unreadable(&error))?;
    if builder.schema().index_of("screen_id").is_err() {
        return Ok(BTreeSet::new());
    }
    let wanted = ProjectionMask::columns(builder.parquet_schema(), ["screen_id", "group"]);
    let mut screens = BTreeSet::new();
    for batch in builder.with_projection(wanted).build().map_err(|error| unreadable(&error))? {
        let batch = batch.map_err(|error| unreadable(&error))?;
        let text = |name: &str| -> Result<Option<StringArray>, PriorError> {
            let Some(column) = batch.column_by_name(name) else { return Ok(None) };
            let cast = cast(column, &DataType::Utf8).map_err(|error| unreadable(&error))?;
            Ok(cast.as_any().downcast_ref::<StringArray>().cloned())
        };
        let (ids, groups) = (text("screen_id")?, text("group")?);
        let mut last = None;
        for (row, id) in ids.iter().flatten().enumerate() {
            let group =
                groups.as_ref().filter(|groups| groups.is_valid(row)).map_or("", |groups| groups.value(row));
            let id = id.unwrap_or_default();
            // Rows of a screen mostly stand together: millions of rows, a hundred names.
            if last != Some((id, group)) {
                screens.insert(ScreenName { id: id.to_owned(), group: group.to_owned() });
                last = Some((id, group));
            }
        }
    }
    Ok(screens)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &[u8] = b"screen_id,group,gene,score\na_1,siblings,X,1\nb_1,others,X,2\na_1,siblings,Y,3\n";

    #[test]
    fn a_group_is_known_by_its_own_name_by_an_id_and_by_what_stands_before_the_first_underscore() {
        for group in ["siblings", "a_1", "b"] {
            require_groups(&[group.to_owned()], &[LONG.into()]).expect(group);
        }
    }

    #[test]
    fn a_misspelt_group_is_refused_with_those_there_are() {
        let refused = require_groups(&["sibling".to_owned()], &[LONG.into()]).expect_err("no such group");
        assert_eq!(refused.code(), "campaign.prior_group_unknown");
        assert!(refused.to_string().ends_with("there are: others, siblings"), "{refused}");
    }

    #[test]
    fn a_single_screen_has_no_group_to_leave_out() {
        let single: Bytes = (&b"gene,score\nX,1\n"[..]).into();
        assert_eq!(screens_of(&single).expect("a table"), BTreeSet::new());
        assert!(require_groups(&["siblings".to_owned()], &[single]).is_err());
    }
}
