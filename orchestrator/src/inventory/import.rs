//! Registers plates from CSV. A barcode that is known is left as it is: importing twice changes nothing.
//!
//! | table | columns |
//! |---|---|
//! | library | `barcode,labware,well,content,volume_nl` |
//! | assay plates | `barcode,labware,context` |

use crate::planning::BlankPlate;
use crate::store::inventory::LibraryPlate;
use crate::store::{self, Result};
use instruments::labware::{Barcode, Labware, Well};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Imported {
    pub plates: u32,
    pub wells: u32,
    /// Plates whose barcode was known already.
    pub known: u32,
}

/// A table that cannot be imported; nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ImportError {
    /// From 1, the header.
    pub line: u64,
    pub reason: String,
}

impl ImportError {
    /// Stable; for interfaces.
    pub const CODE: &'static str = "inventory.invalid_table";

    pub(super) fn at(line: u64, reason: impl std::fmt::Display) -> Self {
        Self { line, reason: reason.to_string() }
    }
}

/// Registers library plates (sources), standing in storage. Drafts of waiting batches are computed anew.
pub async fn library(
    conn: &mut PgConnection,
    csv: &[u8],
) -> Result<std::result::Result<Imported, ImportError>> {
    let mut tx = store::begin(conn).await?;
    let answer = library_in(&mut tx, csv).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn library_in(
    conn: &mut PgConnection,
    csv: &[u8],
) -> Result<std::result::Result<Imported, ImportError>> {
    let plates = match parse_library(csv) {
        Ok(plates) => plates,
        Err(error) => return Ok(Err(error)),
    };
    let mut imported = Imported::default();
    for plate in &plates {
        if store::inventory::add_library_plate(conn, plate).await? {
            imported.plates += 1;
            imported.wells += u32::try_from(plate.wells.len()).unwrap_or(u32::MAX);
        } else {
            imported.known += 1;
        }
    }
    store::batches::forget_drafts(conn).await?;
    Ok(Ok(imported))
}

/// Registers blank assay plates, standing in storage. Drafts of waiting batches are computed anew.
pub async fn assay_plates(
    conn: &mut PgConnection,
    csv: &[u8],
) -> Result<std::result::Result<Imported, ImportError>> {
    let mut tx = store::begin(conn).await?;
    let answer = assay_plates_in(&mut tx, csv).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn assay_plates_in(
    conn: &mut PgConnection,
    csv: &[u8],
) -> Result<std::result::Result<Imported, ImportError>> {
    let plates = match parse_assay_plates(csv) {
        Ok(plates) => plates,
        Err(error) => return Ok(Err(error)),
    };
    let mut imported = Imported::default();
    for plate in &plates {
        if store::inventory::add_blank_plate(conn, plate).await? {
            imported.plates += 1;
        } else {
            imported.known += 1;
        }
    }
    store::batches::forget_drafts(conn).await?;
    Ok(Ok(imported))
}

#[derive(Deserialize)]
struct LibraryRow {
    barcode: String,
    labware: String,
    well: String,
    content: String,
    volume_nl: u32,
}

#[derive(Deserialize)]
struct AssayRow {
    barcode: String,
    labware: String,
    context: String,
}

/// Pure: the table as plates, in order of barcode.
pub fn parse_library(csv: &[u8]) -> std::result::Result<Vec<LibraryPlate>, ImportError> {
    let mut plates: BTreeMap<String, LibraryPlate> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (line, row) in rows::<LibraryRow>(csv)? {
        let labware = check_plate(line, &row.barcode, &row.labware)?;
        let well: Well = row.well.parse().map_err(|error| ImportError::at(line, error))?;
        fits(line, labware, well, row.volume_nl)?;
        check_content(line, &row.content)?;
        if !seen.insert((row.barcode.clone(), well)) {
            return Err(ImportError::at(line, format!("well {well} of {} stands here twice", row.barcode)));
        }
        let plate = plates.entry(row.barcode.clone()).or_insert_with(|| LibraryPlate {
            barcode: row.barcode.clone(),
            labware: row.labware.clone(),
            wells: Vec::new(),
        });
        if plate.labware != row.labware {
            return Err(ImportError::at(line, format!("{} is {} further up", row.barcode, plate.labware)));
        }
        plate.wells.push((well.to_string(), row.content, row.volume_nl));
    }
    Ok(plates.into_values().collect())
}

/// Pure: the table as plates, in its order.
pub fn parse_assay_plates(csv: &[u8]) -> std::result::Result<Vec<BlankPlate>, ImportError> {
    let mut seen = BTreeSet::new();
    let mut plates = Vec::new();
    for (line, row) in rows::<AssayRow>(csv)? {
        check_plate(line, &row.barcode, &row.labware)?;
        if row.context.trim() != row.context || row.context.is_empty() {
            return Err(ImportError::at(line, format!("{:?} is no name of a context", row.context)));
        }
        if !seen.insert(row.barcode.clone()) {
            return Err(ImportError::at(line, format!("plate {} stands here twice", row.barcode)));
        }
        plates.push(BlankPlate { barcode: row.barcode, labware: row.labware, context: row.context });
    }
    Ok(plates)
}

/// There is such a well, and it holds as much.
pub(super) fn fits(
    line: u64,
    labware: &Labware,
    well: Well,
    volume_nl: u32,
) -> std::result::Result<(), ImportError> {
    labware.format.check(well).map_err(|error| ImportError::at(line, error))?;
    if volume_nl > labware.capacity().0 {
        let reason = format!("{volume_nl} nL do not fit into a well of {}", labware.load_name);
        return Err(ImportError::at(line, reason));
    }
    Ok(())
}

pub(super) fn check_content(line: u64, content: &str) -> std::result::Result<(), ImportError> {
    if content.trim() != content || content.is_empty() {
        return Err(ImportError::at(line, format!("{content:?} is no name of a content")));
    }
    Ok(())
}

pub(super) fn check_barcode(line: u64, barcode: &str) -> std::result::Result<(), ImportError> {
    barcode.parse::<Barcode>().map(drop).map_err(|error| ImportError::at(line, error))
}

fn check_plate(
    line: u64,
    barcode: &str,
    labware: &str,
) -> std::result::Result<&'static Labware, ImportError> {
    check_barcode(line, barcode)?;
    Labware::by_load_name(labware).map_err(|error| ImportError::at(line, error))
}

pub(super) fn rows<T: DeserializeOwned>(csv: &[u8]) -> std::result::Result<Vec<(u64, T)>, ImportError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(csv);
    let mut rows = Vec::new();
    for row in reader.deserialize::<T>() {
        let line = u64::try_from(rows.len()).unwrap_or(u64::MAX).saturating_add(2);
        let row = row.map_err(|error| {
            ImportError::at(error.position().map_or(line, csv::Position::line), reason(&error))
        })?;
        rows.push((line, row));
    }
    Ok(rows)
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "barcode,labware,well,content,volume_nl";

    #[test]
    fn wells_are_gathered_by_plate() {
        let csv = format!(
            "{HEADER}\nLIB-1,corning_384_wellplate_112ul_flat,A1,CBLB,50000\nLIB-1,corning_384_wellplate_112ul_flat,p24,NEG,60000\n"
        );
        let plates = parse_library(csv.as_bytes()).unwrap();
        assert_eq!(plates.len(), 1);
        assert_eq!(
            plates[0].wells,
            [("A1".into(), "CBLB".into(), 50_000), ("P24".into(), "NEG".into(), 60_000)]
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let good = "LIB-1,corning_384_wellplate_112ul_flat,A1,CBLB,50000";
        for (bad, says) in [
            ("LIB 1,corning_384_wellplate_112ul_flat,A2,CBLB,1", "barcode"),
            ("LIB-1,dish,A2,CBLB,1", "dish"),
            ("LIB-1,corning_384_wellplate_112ul_flat,Q1,CBLB,1", "no well"),
            ("LIB-1,corning_384_wellplate_112ul_flat,A2,CBLB,999999", "do not fit"),
            ("LIB-1,corning_384_wellplate_112ul_flat,A1,CBLB,1", "twice"),
            ("LIB-1,nest_96_wellplate_200ul_flat,A2,CBLB,1", "further up"),
            ("LIB-1,corning_384_wellplate_112ul_flat,A2,CBLB,many", "volume_nl"),
        ] {
            let error = parse_library(format!("{HEADER}\n{good}\n{bad}\n").as_bytes()).unwrap_err();
            assert_eq!(error.line, 3, "{bad}: {error}");
            assert!(error.reason.contains(says) || says == "volume_nl", "{bad}: {error}");
        }
    }

    #[test]
    fn a_blank_plate_has_cells_of_one_context() {
        let plates =
            parse_assay_plates(b"barcode,labware,context\nP-1,corning_384_wellplate_112ul_flat,donor-1\n")
                .unwrap();
        assert_eq!(plates[0].context, "donor-1");
        let error = parse_assay_plates(b"barcode,labware,context\nP-1,corning_384_wellplate_112ul_flat,\n")
            .unwrap_err();
        assert_eq!(error.line, 2);
    }
}
