//! Where plates stand.

use crate::planning::{Standing, StockRole};
use crate::store::{Error, Result};
use jobs::work::physical::{Location, PlateRef};
use sqlx::PgConnection;

/// In storage a plate's slot is its barcode.
pub fn storage(barcode: &str) -> Location {
    Location { device: "storage".to_owned(), slot: barcode.to_owned() }
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
