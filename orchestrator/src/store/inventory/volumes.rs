//! Volumes of source wells: reserved for a plate, spent on it, given back, written off.
//!
//! Wells are locked in one order (barcode, well), so that two rounds cannot wait for each other.

use crate::ids::PlateId;
use crate::ingestion::TransferRecord;
use crate::planning::Draw;
use crate::store::Result;
use crate::store::moved::corrupt;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// How a reservation ended.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    Done,
    /// Somebody else took the plate, or too much of the well, or took a source away: plan again.
    Taken {
        what: String,
    },
}

/// Takes a blank plate for a plate that is to be planned. Before the plate itself is entered: of two rounds that chose the
/// same blank the second waits here, and hears that it is taken.
pub async fn reserve_blank(conn: &mut PgConnection, barcode: &str) -> Result<Reserved> {
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
    Ok(Reserved::Done)
}

/// Reserves the volumes for a plate; `barcode` is its own, for words.
pub async fn reserve(
    conn: &mut PgConnection,
    plate: PlateId,
    barcode: &str,
    draws: &[Draw],
) -> Result<Reserved> {
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
           and stock_well.volume_nl - stock_well.reserved_nl >= given.volume
           and exists (
               select from stock_plate where stock_plate.barcode = given.barcode and state = 'available')",
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

/// Takes what a dispense drew out of the stock: the reported volume, or the intended where none was said. `records` are
/// written down already.
///
/// Of what is reserved in a well only that goes which is still reserved for this plate: a plate that has ended gave it back,
/// and what is left there is another's. The schema keeps a well's volume at no less than what others reserved in it: a well drawn too hard
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
        "with drawn as materialized (
             select source_barcode, source_well, sum(intended_nl) as drawn_nl
             from dispense_record
             where plate_id = $5
             group by source_barcode, source_well
         ), given as materialized (
             select asked.barcode, asked.well, asked.actual,
                    case when reservation.state = 'reserved'
                        then least(asked.intended, greatest(
                            reservation.volume_nl - (coalesce(drawn.drawn_nl, 0) - asked.intended), 0))::bigint
                        else 0
                    end as own
             from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as asked (barcode, well, intended, actual)
             left join reservation
                 on reservation.plate_id = $5
                 and reservation.source_barcode = asked.barcode
                 and reservation.source_well = asked.well
             left join drawn
                 on drawn.source_barcode = asked.barcode
                 and drawn.source_well = asked.well
         )
         update stock_well
         set reserved_nl = greatest(reserved_nl - given.own, 0),
             volume_nl = greatest(volume_nl - given.actual, greatest(reserved_nl - given.own, 0))
         from given
         where stock_well.barcode = given.barcode and stock_well.well = given.well",
        &barcodes,
        &wells,
        &intended,
        &actual,
        plate.0
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
