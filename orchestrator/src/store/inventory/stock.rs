//! Plates of the stock: registered, used up, taken out.

use super::{place, storage};
use crate::planning::BlankPlate;
use crate::store::{Error, Result};
use sqlx::PgConnection;

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

/// What has become of a plate of the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockState {
    Available,
    /// A blank plate that a round is planned with.
    Reserved,
    Used,
    Withdrawn,
}

impl StockState {
    const ALL: [StockState; 4] =
        [StockState::Available, StockState::Reserved, StockState::Used, StockState::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            StockState::Available => "available",
            StockState::Reserved => "reserved",
            StockState::Used => "used",
            StockState::Withdrawn => "withdrawn",
        }
    }

    pub(super) fn from_column(word: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or_else(|| Error::corrupt("stock_plate.state", word))
    }
}

/// Writes what has become of a plate of the stock.
pub async fn set_stock_state(conn: &mut PgConnection, barcode: &str, state: StockState) -> Result<()> {
    sqlx::query!("update stock_plate set state = $2 where barcode = $1", barcode, state.as_str())
        .execute(conn)
        .await?;
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
