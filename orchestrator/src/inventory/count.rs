//! What was found in source wells, as a table: sets what the books say.
//!
//! Columns: `barcode,well,volume_nl`, and `content` where somebody wants to be sure, or where a well is new. All of the
//! table or nothing. A well is not set below what is reserved in it: plates that are planned will draw that.

use super::hands::{self, Changed};
use super::import::{ImportError, check_barcode, check_content, fits, rows};
use crate::ids::ActorId;
use crate::store::Result;
use crate::store::inventory::by_hand::{self as store, Change, Found, Held, HeldWell};
use crate::store::inventory::{Role, StockState};
use instruments::labware::{Labware, Well};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// What a count did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counted {
    pub plates: u32,
    /// Wells whose volume is another one now.
    pub changed: u32,
    /// Wells that nothing was known of.
    pub added: u32,
    /// Wells that held what the books said.
    pub as_known: u32,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of the table, from 1, the header.
    pub line: u64,
    pub barcode: String,
    pub well: Well,
    pub volume_nl: u32,
    pub content: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    barcode: String,
    well: String,
    volume_nl: u32,
    #[serde(default)]
    content: Option<String>,
}

/// Pure: the table, each well once.
pub fn parse(csv: &[u8]) -> std::result::Result<Vec<Line>, ImportError> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for (line, row) in rows::<Row>(csv)? {
        check_barcode(line, &row.barcode)?;
        let well: Well = row.well.parse().map_err(|error| ImportError::at(line, error))?;
        let content = row.content.filter(|content| !content.is_empty());
        content.as_deref().map_or(Ok(()), |content| check_content(line, content))?;
        if !seen.insert((row.barcode.clone(), well)) {
            return Err(ImportError::at(line, format!("well {well} of {} stands here twice", row.barcode)));
        }
        lines.push(Line { line, barcode: row.barcode, well, volume_nl: row.volume_nl, content });
    }
    if lines.is_empty() {
        return Err(ImportError::at(1, "no well stands in the table"));
    }
    Ok(lines)
}

/// What the books say of the plates of a table.
#[derive(Clone, Debug, Default)]
pub struct Books {
    pub plates: BTreeMap<String, Held>,
    pub wells: BTreeMap<(String, String), HeldWell>,
    /// Where each stands, `storage` or a device.
    pub devices: BTreeMap<String, String>,
}

/// A well of which the books will say something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub found: Found,
    /// `None`: the well was not known.
    pub before_nl: Option<i64>,
}

/// Pure: what the table changes, or the first line that cannot be.
pub fn compare(lines: &[Line], books: &Books) -> std::result::Result<Vec<Difference>, ImportError> {
    let mut differences = Vec::new();
    for line in lines {
        let at = |reason: String| ImportError::at(line.line, reason);
        let plate = books
            .plates
            .get(&line.barcode)
            .ok_or_else(|| at(format!("no plate {} is in the stock", line.barcode)))?;
        if plate.role != Role::Library {
            return Err(at(format!("{} is an assay plate: only source plates are counted", line.barcode)));
        }
        if plate.state != StockState::Available {
            return Err(at(format!("{} is {}: put it back first", line.barcode, plate.state.as_str())));
        }
        match books.devices.get(&line.barcode).map(String::as_str) {
            Some("storage") => {}
            Some(device) => {
                let reason = format!(
                    "{} stands in {device}: count it when it is back in storage, or say that you found it there",
                    line.barcode
                );
                return Err(at(reason));
            }
            None => {
                let reason = format!(
                    "nobody knows where {} stands: say first that you found it, in its place in storage",
                    line.barcode
                );
                return Err(at(reason));
            }
        }
        let labware = Labware::by_load_name(&plate.labware).map_err(|error| at(error.to_string()))?;
        fits(line.line, labware, line.well, line.volume_nl)?;
        differences.extend(difference(line, books)?);
    }
    Ok(differences)
}

fn difference(line: &Line, books: &Books) -> std::result::Result<Option<Difference>, ImportError> {
    let at = |reason: String| ImportError::at(line.line, reason);
    let well = line.well.to_string();
    let known = books.wells.get(&(line.barcode.clone(), well.clone()));
    let volume_nl = i64::from(line.volume_nl);
    let content = match (known, &line.content) {
        (Some(known), Some(content)) if *content != known.content => {
            let reason = format!(
                "{} {well} holds {}, not {content}. A well whose content is another one is on another plate: withdraw \
                 this one, and register what it is now under a barcode of its own",
                line.barcode, known.content
            );
            return Err(at(reason));
        }
        (Some(known), _) if volume_nl < known.reserved_nl => {
            let reason = format!(
                "{} {well}: {volume_nl} nL are less than the {} nL that plates under way will draw. Cancel those first, \
                 or set it to {} nL, so that nothing else is planned on it",
                line.barcode, known.reserved_nl, known.reserved_nl
            );
            return Err(at(reason));
        }
        (Some(known), _) if volume_nl == known.volume_nl => return Ok(None),
        (Some(known), _) => known.content.clone(),
        (None, Some(content)) => content.clone(),
        (None, None) => {
            let reason =
                format!("nothing is known of {} {well}: say in `content` what it holds", line.barcode);
            return Err(at(reason));
        }
    };
    let found = Found { barcode: line.barcode.clone(), well, content, volume_nl };
    Ok(Some(Difference { found, before_nl: known.map(|known| known.volume_nl) }))
}

/// Sets what the books say to what was found. In the caller's transaction.
pub async fn count(
    conn: &mut PgConnection,
    csv: &[u8],
    reason: &str,
    actor: ActorId,
) -> Result<std::result::Result<Counted, ImportError>> {
    let lines = match parse(csv) {
        Ok(lines) => lines,
        Err(error) => return Ok(Err(error)),
    };
    let barcodes: BTreeSet<String> = lines.iter().map(|line| line.barcode.clone()).collect();
    let barcodes: Vec<String> = barcodes.into_iter().collect();
    let books = Books {
        plates: store::hold(conn, &barcodes).await?,
        wells: store::hold_wells(conn, &barcodes)
            .await?
            .into_iter()
            .map(|well| ((well.barcode.clone(), well.well.clone()), well))
            .collect(),
        devices: store::devices_of(conn, &barcodes).await?,
    };
    let differences = match compare(&lines, &books) {
        Ok(differences) => differences,
        Err(error) => return Ok(Err(error)),
    };
    let found: Vec<Found> = differences.iter().map(|difference| difference.found.clone()).collect();
    store::set_volumes(conn, &found).await?;
    let mut by_plate: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for difference in &differences {
        by_plate.entry(&difference.found.barcode).or_default().push(difference);
    }
    for (barcode, differences) in by_plate {
        let wells: Vec<_> = differences
            .iter()
            .map(|it| {
                json!({"well": it.found.well, "content": it.found.content, "before_nl": it.before_nl,
                    "after_nl": it.found.volume_nl})
            })
            .collect();
        let changed = Changed { change: Change::Counted, detail: json!({ "wells": wells }) };
        hands::record(conn, barcode, &changed, reason, actor).await?;
    }
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let added = differences.iter().filter(|difference| difference.before_nl.is_none()).count();
    Ok(Ok(Counted {
        plates: number(barcodes.len()),
        changed: number(differences.len() - added),
        added: number(added),
        as_known: number(lines.len() - differences.len()),
    }))
}
