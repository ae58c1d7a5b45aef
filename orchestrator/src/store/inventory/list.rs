//! The stock, for people.

use crate::store::Result;
use crate::store::moved::count;
use sqlx::PgConnection;

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
