//! What stands in the laboratory: plates, volumes, reservations, places.
//!
//! Wells of source plates are locked in one order (barcode, well), so that two rounds cannot wait for
//! each other.

use super::moved::{corrupt, count};
use super::{Error, Result};
use crate::ids::PlateId;
use crate::ingestion::TransferRecord;
use crate::planning::{BlankPlate, Draw, Inventory, SourceWell, Standing, StockRole};
use jobs::work::physical::{Location, PlateRef};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// A library plate and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryPlate {
    pub barcode: String,
    pub labware: String,
    /// Well name, content, volume.
    pub wells: Vec<(String, String, u32)>,
}

/// Registers a library plate standing in storage; `false` when its barcode is known already (left as it is).
pub async fn add_library_plate(conn: &mut PgConnection, plate: &LibraryPlate) -> Result<bool> {
    let added = sqlx::query!(
        "insert into stock_plate (barcode, role, labware) values ($1, 'library', $2) on conflict do nothing",
        plate.barcode,
        plate.labware
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if added == 0 {
        return Ok(false);
    }
    let wells: Vec<String> = plate.wells.iter().map(|(well, ..)| well.clone()).collect();
    let contents: Vec<String> = plate.wells.iter().map(|(_, content, _)| content.clone()).collect();
    let volumes: Vec<i64> = plate.wells.iter().map(|(.., volume_nl)| i64::from(*volume_nl)).collect();
    sqlx::query!(
        "insert into stock_well (barcode, well, content, volume_nl)
         select $1, * from unnest($2::text[], $3::text[], $4::bigint[])",
        plate.barcode,
        &wells,
        &contents,
        &volumes
    )
    .execute(&mut *conn)
    .await?;
    place(conn, &plate.barcode, &storage(&plate.barcode), false).await?;
    Ok(true)
}

/// Registers a blank assay plate standing in storage; `false` when its barcode is known already.
pub async fn add_blank_plate(conn: &mut PgConnection, plate: &BlankPlate) -> Result<bool> {
    let added = sqlx::query!(
        "insert into stock_plate (barcode, role, labware, context)
         values ($1, 'assay', $2, $3)
         on conflict do nothing",
        plate.barcode,
        plate.labware,
        plate.context
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if added == 0 {
        return Ok(false);
    }
    place(conn, &plate.barcode, &storage(&plate.barcode), false).await?;
    Ok(true)
}

/// In storage a plate's slot is its barcode.
pub fn storage(barcode: &str) -> Location {
    Location { device: "storage".to_owned(), slot: barcode.to_owned() }
}

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

/// How a reservation ended.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    Done,
    /// Somebody else took the plate, or too much of the well: plan again.
    Taken {
        what: String,
    },
}

/// Reserves the blank plate and the volumes for a plate.
pub async fn reserve(
    conn: &mut PgConnection,
    plate: PlateId,
    barcode: &str,
    draws: &[Draw],
) -> Result<Reserved> {
    let taken = sqlx::query!(
        "update stock_plate set state = 'reserved' where barcode = $1 and state = 'available'",
        barcode
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if taken == 0 {
        return Ok(Reserved::Taken { what: barcode.to_owned() });
    }
    let columns = Volumes::of(
        draws.iter().map(|d| (d.source_barcode.clone(), d.source_well.to_string(), d.volume_nl)),
    )?;
    columns.lock(conn).await?;
    let updated = sqlx::query!(
        "update stock_well
         set reserved_nl = reserved_nl + given.volume
         from unnest($1::text[], $2::text[], $3::bigint[]) as given (barcode, well, volume)
         where stock_well.barcode = given.barcode
           and stock_well.well = given.well
           and stock_well.volume_nl - stock_well.reserved_nl >= given.volume",
        &columns.barcodes,
        &columns.wells,
        &columns.volumes
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if usize::try_from(updated).ok() != Some(columns.wells.len()) {
        return Ok(Reserved::Taken { what: format!("volume for {barcode}") });
    }
    sqlx::query!(
        "insert into reservation (plate_id, source_barcode, source_well, volume_nl, state)
         select $1, barcode, well, volume, 'reserved'
         from unnest($2::text[], $3::text[], $4::bigint[]) as given (barcode, well, volume)",
        plate.0,
        &columns.barcodes,
        &columns.wells,
        &columns.volumes
    )
    .execute(conn)
    .await?;
    Ok(Reserved::Done)
}

/// Takes what a dispense drew out of the stock: the reported volume, or the intended where none was said.
///
/// The schema keeps a well's volume at no less than what others reserved in it: a well drawn too hard
/// shows when the next dispense reports it.
pub async fn spend(conn: &mut PgConnection, plate: PlateId, records: &[TransferRecord]) -> Result<()> {
    let mut drawn: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for record in records {
        let entry = drawn.entry((record.source_barcode.clone(), record.source_well.clone())).or_default();
        entry.0 += i64::from(record.intended_nl);
        entry.1 += i64::from(record.actual_nl.unwrap_or(record.intended_nl));
    }
    let barcodes: Vec<String> = drawn.keys().map(|(barcode, _)| barcode.clone()).collect();
    let wells: Vec<String> = drawn.keys().map(|(_, well)| well.clone()).collect();
    let intended: Vec<i64> = drawn.values().map(|(intended, _)| *intended).collect();
    let actual: Vec<i64> = drawn.values().map(|(_, actual)| *actual).collect();
    lock_wells(conn, &barcodes, &wells).await?;
    sqlx::query!(
        "update stock_well
         set reserved_nl = greatest(reserved_nl - given.intended, 0),
             volume_nl = greatest(volume_nl - given.actual, greatest(reserved_nl - given.intended, 0))
         from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as given (barcode, well, intended, actual)
         where stock_well.barcode = given.barcode and stock_well.well = given.well",
        &barcodes,
        &wells,
        &intended,
        &actual
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "with drawn as materialized (
             select source_barcode, source_well, sum(intended_nl) as drawn_nl
             from dispense_record
             where plate_id = $1
             group by source_barcode, source_well
         )
         update reservation
         set state = 'spent'
         from drawn
         where reservation.plate_id = $1
           and reservation.state = 'reserved'
           and reservation.source_barcode = drawn.source_barcode
           and reservation.source_well = drawn.source_well
           and reservation.volume_nl <= drawn.drawn_nl",
        plate.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives back what was reserved for a plate and not drawn.
pub async fn release(conn: &mut PgConnection, plate: PlateId) -> Result<()> {
    let rest = sqlx::query!(
        r#"update reservation
           set state = 'released'
           where plate_id = $1 and state = 'reserved'
           returning source_barcode, source_well, volume_nl - (
               select coalesce(sum(intended_nl), 0)::bigint
               from dispense_record
               where dispense_record.plate_id = $1
                 and dispense_record.source_barcode = reservation.source_barcode
                 and dispense_record.source_well = reservation.source_well) as "rest_nl!""#,
        plate.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut rest: Vec<(String, String, i64)> =
        rest.into_iter().map(|row| (row.source_barcode, row.source_well, row.rest_nl)).collect();
    rest.sort();
    let barcodes: Vec<String> = rest.iter().map(|(barcode, ..)| barcode.clone()).collect();
    let wells: Vec<String> = rest.iter().map(|(_, well, _)| well.clone()).collect();
    let volumes: Vec<i64> = rest.iter().map(|(.., volume)| *volume).collect();
    lock_wells(conn, &barcodes, &wells).await?;
    sqlx::query!(
        "update stock_well
         set reserved_nl = greatest(reserved_nl - given.volume, 0)
         from unnest($1::text[], $2::text[], $3::bigint[]) as given (barcode, well, volume)
         where stock_well.barcode = given.barcode and stock_well.well = given.well",
        &barcodes,
        &wells,
        &volumes
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Volumes {
    barcodes: Vec<String>,
    wells: Vec<String>,
    volumes: Vec<i64>,
}

impl Volumes {
    /// Sorted by barcode and well.
    fn of(draws: impl Iterator<Item = (String, String, u64)>) -> Result<Self> {
        let mut draws: Vec<(String, String, u64)> = draws.collect();
        draws.sort();
        let volumes = draws.iter().map(|(.., volume)| i64::try_from(*volume)).collect::<Result<_, _>>();
        Ok(Self {
            volumes: volumes.map_err(corrupt)?,
            barcodes: draws.iter().map(|(barcode, ..)| barcode.clone()).collect(),
            wells: draws.into_iter().map(|(_, well, _)| well).collect(),
        })
    }

    async fn lock(&self, conn: &mut PgConnection) -> Result<()> {
        lock_wells(conn, &self.barcodes, &self.wells).await
    }
}

async fn lock_wells(conn: &mut PgConnection, barcodes: &[String], wells: &[String]) -> Result<()> {
    sqlx::query!(
        "select stock_well.barcode
         from stock_well
         join unnest($1::text[], $2::text[]) as given (barcode, well)
             on stock_well.barcode = given.barcode and stock_well.well = given.well
         order by stock_well.barcode, stock_well.well
         for update of stock_well",
        barcodes,
        wells
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// What has become of a plate of the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockState {
    Available,
    Used,
    Withdrawn,
}

/// Writes what has become of a plate of the stock.
pub async fn set_stock_state(conn: &mut PgConnection, barcode: &str, state: StockState) -> Result<()> {
    let word = match state {
        StockState::Available => "available",
        StockState::Used => "used",
        StockState::Withdrawn => "withdrawn",
    };
    sqlx::query!("update stock_plate set state = $2 where barcode = $1", barcode, word).execute(conn).await?;
    Ok(())
}

/// Takes a plate out of the stock that was worked on for nobody here: an assay plate that no round of this database
/// uses. Answers whether it was one.
pub async fn withdraw_unused(conn: &mut PgConnection, barcode: &str) -> Result<bool> {
    let withdrawn = sqlx::query!(
        "update stock_plate
         set state = 'withdrawn'
         where barcode = $1
             and role = 'assay'
             and state in ('available', 'reserved')
             and not exists (select from plate where plate.barcode = stock_plate.barcode)",
        barcode
    )
    .execute(conn)
    .await?;
    Ok(withdrawn.rows_affected() > 0)
}

/// Takes what was drawn (nanolitres by barcode and well) out of the stock, past every reservation.
///
/// As with [`spend`], a well's volume stays no less than what is reserved in it.
pub async fn write_off(conn: &mut PgConnection, drawn: &BTreeMap<(String, String), u64>) -> Result<()> {
    let draws = drawn.iter().map(|((barcode, well), volume)| (barcode.clone(), well.clone(), *volume));
    let columns = Volumes::of(draws)?;
    columns.lock(conn).await?;
    sqlx::query!(
        "update stock_well
         set volume_nl = greatest(volume_nl - given.volume, reserved_nl)
         from unnest($1::text[], $2::text[], $3::bigint[]) as given (barcode, well, volume)
         where stock_well.barcode = given.barcode and stock_well.well = given.well",
        &columns.barcodes,
        &columns.wells,
        &columns.volumes
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes where a plate stands. `confirmed`: a scan said so. Whatever was believed to stand there does not:
/// nobody knows where that one is.
pub async fn place(conn: &mut PgConnection, barcode: &str, at: &Location, confirmed: bool) -> Result<()> {
    sqlx::query!(
        "delete from plate_location where device = $1 and slot = $2 and barcode <> $3",
        at.device,
        at.slot,
        barcode
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into plate_location (barcode, device, slot, confirmed)
         values ($1, $2, $3, $4)
         on conflict (barcode) do update
         set device = excluded.device, slot = excluded.slot, confirmed = excluded.confirmed, since_at = now()",
        barcode,
        at.device,
        at.slot,
        confirmed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Plates standing on `device`.
pub async fn standing_on(conn: &mut PgConnection, device: &str) -> Result<Vec<Standing>> {
    let rows = sqlx::query!(
        "select stock_plate.barcode, labware, role, device, slot
         from plate_location
         join stock_plate on stock_plate.barcode = plate_location.barcode
         where device = $1
         order by slot",
        device
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| to_standing(row.barcode, row.labware, &row.role, row.device, row.slot))
        .collect()
}

/// Where one plate stands.
pub async fn standing(conn: &mut PgConnection, barcode: &str) -> Result<Option<Standing>> {
    let row = sqlx::query!(
        "select stock_plate.barcode, labware, role, device, slot
         from plate_location
         join stock_plate on stock_plate.barcode = plate_location.barcode
         where plate_location.barcode = $1",
        barcode
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| to_standing(row.barcode, row.labware, &row.role, row.device, row.slot)).transpose()
}

fn to_standing(
    barcode: String,
    labware: String,
    role: &str,
    device: String,
    slot: String,
) -> Result<Standing> {
    let role = match role {
        "library" => StockRole::Library,
        "assay" => StockRole::Assay,
        other => return Err(Error::corrupt("stock_plate.role", other)),
    };
    Ok(Standing { plate: PlateRef { barcode, labware }, role, at: Location { device, slot } })
}

/// One plate of the stock, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct StockPlate {
    pub barcode: String,
    pub role: String,
    pub labware: String,
    pub context: Option<String>,
    pub state: String,
    pub at: Option<String>,
    /// Wells with something in them.
    pub wells: u32,
    /// Drawn and not yet, all wells together.
    pub volume_nl: i64,
    pub reserved_nl: i64,
}

/// What a plate is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StockRole)]
pub enum Role {
    /// It holds reagents.
    Library,
    /// It is seeded with cells, and takes reagents once.
    Assay,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Role::Library => "library",
            Role::Assay => "assay",
        }
    }
}

/// By barcode, at most `limit`, after `after`; of one role, when given.
pub async fn list(
    conn: &mut PgConnection,
    role: Option<Role>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StockPlate>> {
    let rows = sqlx::query!(
        r#"select stock_plate.barcode, role, labware, context, state,
                  plate_location.device || '/' || plate_location.slot as at,
                  count(stock_well.well) as "wells!",
                  coalesce(sum(volume_nl), 0)::bigint as "volume_nl!",
                  coalesce(sum(reserved_nl), 0)::bigint as "reserved_nl!"
           from stock_plate
           left join stock_well on stock_well.barcode = stock_plate.barcode
           left join plate_location on plate_location.barcode = stock_plate.barcode
           where ($1::text is null or stock_plate.barcode > $1)
             and ($3::text is null or role = $3)
           group by stock_plate.barcode, plate_location.device, plate_location.slot
           order by stock_plate.barcode
           limit $2"#,
        after,
        limit,
        role.map(Role::as_str)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StockPlate {
                barcode: row.barcode,
                role: row.role,
                labware: row.labware,
                context: row.context,
                state: row.state,
                at: row.at,
                wells: count(row.wells)?,
                volume_nl: row.volume_nl,
                reserved_nl: row.reserved_nl,
            })
        })
        .collect()
}
