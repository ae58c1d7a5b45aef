//! One plate of the stock with all that is known of it, and reagents by what they are.

use super::by_hand::Change;
use super::{StockPlate, list};
use crate::ids::{CampaignId, PlateId, RoundId};
use crate::people::Visible;
use crate::store::Result;
use crate::store::moved::{corrupt, count};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What stands in a well of a source plate.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct StockWell {
    pub well: String,
    pub content: String,
    pub volume_nl: i64,
    /// Of it, for plates that are planned.
    pub reserved_nl: i64,
}

/// How far a plate's draws are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StockDrawState)]
pub enum DrawState {
    /// It will draw.
    Reserved,
    /// It has drawn.
    Spent,
    /// It was given back.
    Released,
}

/// An assay plate that drew from a source plate, or will.
#[derive(Clone, Debug, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct StockDraw {
    /// `null`, as what follows: of a project that the caller may not read.
    pub plate_id: Option<PlateId>,
    pub barcode: Option<String>,
    pub round_id: Option<RoundId>,
    pub round: Option<u32>,
    pub campaign_id: Option<CampaignId>,
    pub campaign: Option<String>,
    /// Of the wells drawn from, the one that comes first in the order of these.
    pub state: DrawState,
    pub wells: u32,
    pub volume_nl: i64,
}

/// What somebody did to a plate of the stock by hand.
#[derive(Clone, Debug, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct StockChange {
    pub at: DateTime<Utc>,
    pub change: Change,
    pub reason: String,
    /// Name of whoever did it.
    pub by: String,
    /// Of a count: `wells`, each with `well`, `content`, `before_nl` (`null`: it was not known) and `after_nl`.
    pub detail: Value,
}

/// One plate of the stock.
#[derive(Clone, Debug, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct StockPlateAll {
    #[serde(flatten)]
    pub plate: StockPlate,
    pub registered_at: DateTime<Utc>,
    /// Since when it stands where it stands (real time).
    pub since_at: Option<DateTime<Utc>>,
    /// A scan or a person said so; else it is only expected there.
    pub confirmed: Option<bool>,
    /// Of a source plate, by well.
    pub well_list: Vec<StockWell>,
    /// The plate of a round that was made of this blank one, where the caller may read it.
    pub made_into: Option<PlateId>,
    /// The newest 200 assay plates that drew from it, or will.
    pub draws: Vec<StockDraw>,
    /// The newest 100 things that people did to it.
    pub changes: Vec<StockChange>,
}

/// Everything known of a plate; `None`: there is none of this barcode.
pub async fn look(
    conn: &mut PgConnection,
    barcode: &str,
    visible: &Visible,
) -> Result<Option<StockPlateAll>> {
    let Some(plate) = list::one(conn, barcode).await? else { return Ok(None) };
    let facts = sqlx::query!(
        r#"select stock_plate.created_at, plate_location.since_at as "since_at?", confirmed as "confirmed?"
           from stock_plate
           left join plate_location on plate_location.barcode = stock_plate.barcode
           where stock_plate.barcode = $1"#,
        barcode
    )
    .fetch_one(&mut *conn)
    .await?;
    let well_list = sqlx::query_as!(
        StockWell,
        "select well, content, volume_nl, reserved_nl from stock_well where barcode = $1",
        barcode
    )
    .fetch_all(&mut *conn)
    .await?;
    let projects = visible.limit();
    let made_into = sqlx::query_scalar!(
        "select plate.id
         from plate
         join round on round.id = plate.round_id
         join campaign on campaign.id = round.campaign_id
         where plate.barcode = $1 and ($2::uuid[] is null or project_id = any($2))",
        barcode,
        projects.as_deref() as Option<&[Uuid]>
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(Some(StockPlateAll {
        plate,
        registered_at: facts.created_at,
        since_at: facts.since_at,
        confirmed: facts.confirmed,
        well_list: in_order(well_list)?,
        made_into: made_into.map(PlateId),
        draws: draws(conn, barcode, projects.as_deref()).await?,
        changes: changes(conn, barcode).await?,
    }))
}

/// By row and column, not by letter: `A2` before `A10`.
fn in_order(wells: Vec<StockWell>) -> Result<Vec<StockWell>> {
    let mut placed = BTreeMap::new();
    for well in wells {
        placed.insert(well.well.parse::<instruments::labware::Well>().map_err(corrupt)?, well);
    }
    Ok(placed.into_values().collect())
}

async fn draws(conn: &mut PgConnection, barcode: &str, projects: Option<&[Uuid]>) -> Result<Vec<StockDraw>> {
    let rows = sqlx::query!(
        r#"select plate.id, plate.barcode, round.id as round_id, round.number, campaign.id as campaign_id, campaign.name,
                  ($2::uuid[] is null or project_id = any($2)) as "shown!",
                  case when bool_or(reservation.state = 'reserved') then 'reserved'
                      when bool_or(reservation.state = 'spent') then 'spent' else 'released' end as "state!",
                  count(*) as "wells!",
                  sum(reservation.volume_nl)::bigint as "volume_nl!"
           from reservation
           join plate on plate.id = reservation.plate_id
           join round on round.id = plate.round_id
           join campaign on campaign.id = round.campaign_id
           where source_barcode = $1
           group by plate.id, round.id, campaign.id
           order by plate.id desc
           limit 200"#,
        barcode,
        projects as Option<&[Uuid]>
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let number = u32::try_from(row.number).map_err(corrupt)?;
            Ok(StockDraw {
                plate_id: row.shown.then_some(PlateId(row.id)),
                barcode: row.shown.then_some(row.barcode),
                round_id: row.shown.then_some(RoundId(row.round_id)),
                round: row.shown.then_some(number),
                campaign_id: row.shown.then_some(CampaignId(row.campaign_id)),
                campaign: row.shown.then_some(row.name),
                state: match row.state.as_str() {
                    "reserved" => DrawState::Reserved,
                    "spent" => DrawState::Spent,
                    _ => DrawState::Released,
                },
                wells: count(row.wells)?,
                volume_nl: row.volume_nl,
            })
        })
        .collect()
}

async fn changes(conn: &mut PgConnection, barcode: &str) -> Result<Vec<StockChange>> {
    let rows = sqlx::query!(
        "select stock_change.at, change, reason, actor.name, detail
         from stock_change
         join actor on actor.id = stock_change.actor_id
         where barcode = $1
         order by stock_change.id desc
         limit 100",
        barcode
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StockChange {
                at: row.at,
                change: Change::from_column(&row.change)?,
                reason: row.reason,
                by: row.name,
                detail: row.detail,
            })
        })
        .collect()
}

/// A reagent, over all plates that may be drawn from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct StockContent {
    pub content: String,
    pub plates: u32,
    pub wells: u32,
    pub volume_nl: i64,
    pub reserved_nl: i64,
    /// What a plan may still draw: neither reserved nor what has to stay in each well.
    pub drawable_nl: i64,
}

/// Reagents by name, at most `limit`, after `after`; those whose name contains `search`, whatever its case.
///
/// `stays`: by labware, what a plan leaves in a well, in nanolitres.
pub async fn contents(
    conn: &mut PgConnection,
    search: Option<&str>,
    stays: &[(String, i64)],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StockContent>> {
    let (labware, kept): (Vec<String>, Vec<i64>) = stays.iter().cloned().unzip();
    let rows = sqlx::query!(
        r#"select content,
                  count(distinct stock_well.barcode) as "plates!",
                  count(*) as "wells!",
                  sum(volume_nl)::bigint as "volume_nl!",
                  sum(reserved_nl)::bigint as "reserved_nl!",
                  sum(greatest(volume_nl - reserved_nl - coalesce(stays.kept, 0), 0))::bigint as "drawable_nl!"
           from stock_well
           join stock_plate on stock_plate.barcode = stock_well.barcode
           left join unnest($3::text[], $4::bigint[]) as stays (labware, kept) on stays.labware = stock_plate.labware
           where role = 'library'
             and state = 'available'
             and ($1::text is null or content > $1)
             and ($5::text is null or position(lower($5) in lower(content)) > 0)
           group by content
           order by content
           limit $2"#,
        after,
        limit,
        &labware,
        &kept,
        search
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StockContent {
                content: row.content,
                plates: count(row.plates)?,
                wells: count(row.wells)?,
                volume_nl: row.volume_nl,
                reserved_nl: row.reserved_nl,
                drawable_nl: row.drawable_nl,
            })
        })
        .collect()
}

/// Blank plates of one kind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct StockBlanks {
    pub labware: String,
    pub context: String,
    /// Not planned with yet.
    pub available: u32,
    /// For plates that are planned.
    pub reserved: u32,
}

/// Blank plates that are not used up, by labware and context.
pub async fn blanks(conn: &mut PgConnection) -> Result<Vec<StockBlanks>> {
    let rows = sqlx::query!(
        r#"select labware, context as "context!",
                  count(*) filter (where state = 'available') as "available!",
                  count(*) filter (where state = 'reserved') as "reserved!"
           from stock_plate
           where role = 'assay' and state in ('available', 'reserved')
           group by labware, context
           order by labware, context"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StockBlanks {
                labware: row.labware,
                context: row.context,
                available: count(row.available)?,
                reserved: count(row.reserved)?,
            })
        })
        .collect()
}
