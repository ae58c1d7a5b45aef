//! What a plan may be made of: source wells, blank plates, free slots.

use crate::planning::{BlankPlate, Inventory, SourceWell};
use crate::store::Result;
use crate::store::moved::corrupt;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Everything that planning may use. Library plates are counted as in storage: each chain brings them back.
pub async fn available(conn: &mut PgConnection) -> Result<Inventory> {
    let wells = sqlx::query_as!(
        Source,
        r#"select stock_plate.barcode, labware, well, content, volume_nl - reserved_nl as "available_nl!"
           from stock_well
           join stock_plate on stock_plate.barcode = stock_well.barcode
           where role = 'library' and state = 'available' and volume_nl > reserved_nl
           order by stock_plate.barcode, well"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let blanks = sqlx::query_as!(
        BlankPlate,
        r#"select barcode, labware, context as "context!"
           from stock_plate
           where role = 'assay' and state = 'available'
           order by barcode"#
    )
    .fetch_all(conn)
    .await?;
    Ok(Inventory { sources: by_content(wells)?, blanks })
}

/// What a plan may be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Of source wells.
    pub contents: Vec<String>,
    /// Of assay plates.
    pub labware: &'a str,
    pub contexts: &'a [String],
}

/// Of everything that planning may use, what is `wanted`: a plan asks for little of a large library.
pub async fn available_of(conn: &mut PgConnection, wanted: &Wanted<'_>) -> Result<Inventory> {
    let wells = sqlx::query_as!(
        Source,
        r#"select stock_plate.barcode, labware, well, content, volume_nl - reserved_nl as "available_nl!"
           from stock_well
           join stock_plate on stock_plate.barcode = stock_well.barcode
           where content = any($1) and role = 'library' and state = 'available' and volume_nl > reserved_nl
           order by stock_plate.barcode, well"#,
        &wanted.contents
    )
    .fetch_all(&mut *conn)
    .await?;
    let blanks = sqlx::query_as!(
        BlankPlate,
        r#"select barcode, labware, context as "context!"
           from stock_plate
           where role = 'assay' and state = 'available' and labware = $1 and context = any($2)
           order by barcode"#,
        wanted.labware,
        wanted.contexts
    )
    .fetch_all(conn)
    .await?;
    Ok(Inventory { sources: by_content(wells)?, blanks })
}

struct Source {
    barcode: String,
    labware: String,
    well: String,
    content: String,
    available_nl: i64,
}

fn by_content(wells: Vec<Source>) -> Result<BTreeMap<String, Vec<SourceWell>>> {
    let mut sources: BTreeMap<String, Vec<SourceWell>> = BTreeMap::new();
    for row in wells {
        sources.entry(row.content).or_default().push(SourceWell {
            barcode: row.barcode,
            labware: row.labware,
            well: row.well.parse().map_err(corrupt)?,
            available_nl: u64::try_from(row.available_nl).map_err(corrupt)?,
        });
    }
    Ok(sources)
}

/// Slots of `device` that a plate stands in, or that the incubation of a live plate is planned for.
pub async fn slots_in_use(conn: &mut PgConnection, device: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select slot as "slot!" from plate_location where device = $1
           union
           select job.payload #>> '{at,slot}' as slot
           from job
           join plate on plate.id = job.plate_id
           where job.kind = 'incubate'
             and job.payload #>> '{at,device}' = $1
             and plate.state in ('planned', 'dispensing', 'incubating')"#,
        device
    )
    .fetch_all(conn)
    .await?)
}
