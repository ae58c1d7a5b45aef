//! The stock, for people.

use super::stock::StockState;
use crate::store::moved::count;
use crate::store::{Error, Result};
use sqlx::PgConnection;

/// One plate of the stock, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct StockPlate {
    pub barcode: String,
    pub role: Role,
    pub labware: String,
    pub context: Option<String>,
    pub state: StockState,
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

    pub(super) fn from_column(word: &str) -> Result<Self> {
        let known = [Role::Library, Role::Assay].into_iter().find(|role| role.as_str() == word);
        known.ok_or_else(|| Error::corrupt("stock_plate.role", word))
    }
}

/// Which plates are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    pub role: Option<Role>,
    pub state: Option<StockState>,
    /// Part of the barcode, whatever its case.
    pub search: Option<&'a str>,
}

/// By barcode, at most `limit`, after `after`.
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter<'_>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StockPlate>> {
    read(conn, filter, None, after, limit).await
}

/// The plate of this barcode.
pub(super) async fn one(conn: &mut PgConnection, barcode: &str) -> Result<Option<StockPlate>> {
    Ok(read(conn, &Filter::default(), Some(barcode), None, 1).await?.pop())
}

async fn read(
    conn: &mut PgConnection,
    filter: &Filter<'_>,
    barcode: Option<&str>,
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
             and ($4::text is null or state = $4)
             and ($5::text is null or position(lower($5) in lower(stock_plate.barcode)) > 0)
             and ($6::text is null or stock_plate.barcode = $6)
           group by stock_plate.barcode, plate_location.device, plate_location.slot
           order by stock_plate.barcode
           limit $2"#,
        after,
        limit,
        filter.role.map(Role::as_str),
        filter.state.map(StockState::as_str),
        filter.search,
        barcode
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StockPlate {
                barcode: row.barcode,
                role: Role::from_column(&row.role)?,
                labware: row.labware,
                context: row.context,
                state: StockState::from_column(&row.state)?,
                at: row.at,
                wells: count(row.wells)?,
                volume_nl: row.volume_nl,
                reserved_nl: row.reserved_nl,
            })
        })
        .collect()
}
