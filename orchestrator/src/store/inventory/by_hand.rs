//! What people do to the stock by hand, written down.

use super::list::Role;
use super::stock::StockState;
use crate::ids::ActorId;
use crate::store::moved::corrupt;
use crate::store::{Error, Result};
use jobs::JobId;
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StockChangeKind)]
pub enum Change {
    /// Looked how much there is in its wells.
    Counted,
    /// Took it out of the laboratory.
    Withdrawn,
    /// Brought it back.
    PutBack,
    /// Found it, or carried it, in its place in storage.
    Found,
}

impl Change {
    pub const ALL: [Change; 4] = [Change::Counted, Change::Withdrawn, Change::PutBack, Change::Found];

    pub fn as_str(self) -> &'static str {
        match self {
            Change::Counted => "counted",
            Change::Withdrawn => "withdrawn",
            Change::PutBack => "put_back",
            Change::Found => "found",
        }
    }

    /// Of its event.
    pub fn event(self) -> &'static str {
        match self {
            Change::Counted => "StockCounted",
            Change::Withdrawn => "StockWithdrawn",
            Change::PutBack => "StockPutBack",
            Change::Found => "StockFound",
        }
    }

    pub(super) fn from_column(word: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|change| change.as_str() == word);
        known.ok_or_else(|| Error::corrupt("stock_change.change", word))
    }
}

/// A plate of the stock, its row locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub barcode: String,
    pub role: Role,
    /// By its load name.
    pub labware: String,
    pub state: StockState,
}

/// Those of these barcodes that there are, by barcode, locked until the transaction ends.
pub async fn hold(conn: &mut PgConnection, barcodes: &[String]) -> Result<BTreeMap<String, Held>> {
    let rows = sqlx::query!(
        "select barcode, role, labware, state
         from stock_plate
         where barcode = any($1)
         order by barcode
         for no key update",
        barcodes
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (role, state) = (Role::from_column(&row.role)?, StockState::from_column(&row.state)?);
            let held = Held { barcode: row.barcode, role, labware: row.labware, state };
            Ok((held.barcode.clone(), held))
        })
        .collect()
}

/// What a well holds by the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldWell {
    pub barcode: String,
    pub well: String,
    pub content: String,
    pub volume_nl: i64,
    pub reserved_nl: i64,
}

/// All wells of these plates, by barcode and well, locked until the transaction ends: nobody reserves in them meanwhile.
pub async fn hold_wells(conn: &mut PgConnection, barcodes: &[String]) -> Result<Vec<HeldWell>> {
    Ok(sqlx::query_as!(
        HeldWell,
        "select barcode, well, content, volume_nl, reserved_nl
         from stock_well
         where barcode = any($1)
         order by barcode, well
         for update",
        barcodes
    )
    .fetch_all(conn)
    .await?)
}

/// What was found in a well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub barcode: String,
    pub well: String,
    pub content: String,
    pub volume_nl: i64,
}

/// Sets what wells hold, and enters those that are new. The caller holds their locks.
pub async fn set_volumes(conn: &mut PgConnection, found: &[Found]) -> Result<()> {
    let barcodes: Vec<String> = found.iter().map(|it| it.barcode.clone()).collect();
    let wells: Vec<String> = found.iter().map(|it| it.well.clone()).collect();
    let contents: Vec<String> = found.iter().map(|it| it.content.clone()).collect();
    let volumes: Vec<i64> = found.iter().map(|it| it.volume_nl).collect();
    sqlx::query!(
        "insert into stock_well (barcode, well, content, volume_nl)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
         on conflict (barcode, well) do update set volume_nl = excluded.volume_nl",
        &barcodes,
        &wells,
        &contents,
        &volumes
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The device on which each of these plates stands (`storage` is one); of those of which nobody knows, nothing.
pub async fn devices_of(conn: &mut PgConnection, barcodes: &[String]) -> Result<BTreeMap<String, String>> {
    let rows = sqlx::query!("select barcode, device from plate_location where barcode = any($1)", barcodes)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.barcode, row.device)).collect())
}

/// Nobody knows any more that it stands anywhere: its place is free.
pub async fn unplace(conn: &mut PgConnection, barcode: &str) -> Result<()> {
    sqlx::query!("delete from plate_location where barcode = $1", barcode).execute(conn).await?;
    Ok(())
}

/// Keeps what was done beside its event.
pub async fn keep(
    conn: &mut PgConnection,
    barcode: &str,
    change: Change,
    reason: &str,
    actor: ActorId,
    detail: &Value,
) -> Result<()> {
    sqlx::query!(
        "insert into stock_change (id, barcode, change, reason, actor_id, detail) values ($1, $2, $3, $4, $5, $6)",
        Uuid::now_v7(),
        barcode,
        change.as_str(),
        reason,
        actor.0,
        detail
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A job that is not over, to its consequences, and carries this plate, works on it, or has it on its deck.
pub async fn live_job_on(conn: &mut PgConnection, barcode: &str) -> Result<Option<(JobId, String)>> {
    let row = sqlx::query!(
        r#"select job.id as "id!", job.kind as "kind!"
           from job
           join plate on plate.id = job.plate_id
           where job.plate_id in (
                   select id from plate where barcode = $1
                   union
                   select plate_id from reservation where source_barcode = $1)
             and (not exists (select from job_outcome where job_outcome.job_id = job.id)
                 or exists (select from settlement where settlement.job_id = job.id))
             and (plate.barcode = $1
                 or job.payload @> jsonb_build_object('moves', jsonb_build_array(jsonb_build_object('barcode', $1::text)))
                 or job.payload @> jsonb_build_object('deck', jsonb_build_array(jsonb_build_object('barcode', $1::text))))
           order by job.id
           limit 1"#,
        barcode
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (JobId(row.id), row.kind)))
}

/// For which plates volumes of this one are reserved: their barcodes with the number of their round, at most `limit`.
pub async fn reserved_for(conn: &mut PgConnection, barcode: &str, limit: i64) -> Result<Vec<(String, u32)>> {
    let rows = sqlx::query!(
        "select plate.barcode, round.number
         from reservation
         join plate on plate.id = reservation.plate_id
         join round on round.id = plate.round_id
         where source_barcode = $1 and reservation.state = 'reserved'
         group by plate.barcode, round.number
         order by round.number, plate.barcode
         limit $2",
        barcode,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.barcode, u32::try_from(row.number).map_err(corrupt)?))).collect()
}

/// The round that took this blank plate, when one did: its number.
pub async fn taken_by(conn: &mut PgConnection, barcode: &str) -> Result<Option<u32>> {
    let number = sqlx::query_scalar!(
        "select round.number from plate join round on round.id = plate.round_id where plate.barcode = $1",
        barcode
    )
    .fetch_optional(conn)
    .await?;
    number.map(|number| u32::try_from(number).map_err(corrupt)).transpose()
}
