//! `GET /plates..`

use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::ids::{BatchId, PlateId, ProposalId, RoundId};
use crate::planning::Role;
use crate::plates::allotrope::{self, Sample};
use crate::plates::state::State as PlateState;
use crate::store::dossier;
use crate::store::plates::{self, Plate, StoredReading};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use instruments::labware::Labware;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// One plate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlateLine {
    pub id: PlateId,
    pub round_id: RoundId,
    pub batch_id: BatchId,
    pub ordinal: u32,
    pub generation: u32,
    pub barcode: String,
    pub labware: String,
    pub context: String,
    pub state: PlateState,
    pub reason: Option<String>,
    /// The judgement, once it was read.
    pub qc: Option<Value>,
    pub created_at: DateTime<Utc>,
}

impl From<Plate> for PlateLine {
    fn from(plate: Plate) -> Self {
        Self {
            id: plate.id,
            round_id: plate.round_id,
            batch_id: plate.batch_id,
            ordinal: plate.ordinal,
            generation: plate.generation,
            barcode: plate.barcode,
            labware: plate.labware,
            context: plate.context,
            state: plate.state,
            reason: plate.reason,
            qc: plate.qc,
            created_at: plate.created_at,
        }
    }
}

/// What stands in a well, as planned.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WellRecord {
    pub well: String,
    pub role: Role,
    pub proposal_id: Option<ProposalId>,
}

/// Intended against reported.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransferLine {
    pub source_barcode: String,
    pub source_well: String,
    pub destination_well: String,
    pub intended_nl: u32,
    pub actual_nl: Option<u32>,
    pub error: Option<String>,
}

/// One plate with everything that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlateRecord {
    #[serde(flatten)]
    pub line: PlateLine,
    pub wells: Vec<WellRecord>,
    pub transfers: Vec<TransferLine>,
    pub readings: Vec<StoredReading>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PlateQuery {
    /// Only those of this round.
    pub round: Option<RoundId>,
    /// Only those in this state.
    pub state: Option<PlateState>,
}

/// Plates, the newest first.
#[utoipa::path(get, path = "/plates", tag = "plates", params(PlateQuery, PageQuery),
    responses((status = 200, body = Page<PlateLine>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PlateQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<PlateLine>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let visible = caller.visible();
    let found =
        plates::list(&mut conn, &visible, query.round, query.state, page.after()?, page.limit()).await?;
    let items = found.into_iter().map(PlateLine::from).collect();
    Ok(Json(Page::new(items, &page, |plate| plate.id)))
}

/// One plate: map, transfers, readings.
#[utoipa::path(get, path = "/plates/{id}", tag = "plates", params(("id" = PlateId, Path)),
    responses((status = 200, body = PlateRecord), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<PlateId>,
) -> Result<Json<PlateRecord>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let plate = plates::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("plate", id))?;
    let wells = plates::map(&mut conn, id)
        .await?
        .into_iter()
        .map(|well| WellRecord { well: well.well.to_string(), role: well.role, proposal_id: well.proposal })
        .collect();
    let transfers = plates::dispense_records(&mut conn, id)
        .await?
        .into_iter()
        .map(|record| TransferLine {
            source_barcode: record.source_barcode,
            source_well: record.source_well,
            destination_well: record.destination_well.to_string(),
            intended_nl: record.intended_nl,
            actual_nl: record.actual_nl,
            error: record.error,
        })
        .collect();
    let readings = plates::readings(&mut conn, id).await?;
    Ok(Json(PlateRecord { line: plate.into(), wells, transfers, readings }))
}

/// The plate's readings as an Allotrope Simple Model document (`plate-reader`, REC/2025/03): raw values with what stood in each
/// well, as electronic notebooks and data platforms read them.
#[utoipa::path(get, path = "/plates/{id}/readings.asm.json", tag = "plates", params(("id" = PlateId, Path)),
    responses((status = 200, body = Value), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`plate.not_read`")))]
pub(super) async fn as_asm(
    State(state): State<AppState>,
    Path(id): Path<PlateId>,
) -> Result<Json<Value>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let plate = plates::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("plate", id))?;
    let looks = plates::looks(&mut conn, id).await?;
    if looks.is_empty() {
        let detail = format!("Nothing was read of plate {} yet: there is no file to give.", plate.barcode);
        return Err(Problem::new(StatusCode::CONFLICT, "plate.not_read", detail));
    }
    let wells = dossier::wells(&mut conn, id, &plate.barcode).await?;
    let samples = wells.into_iter().map(|well| {
        let is_control = well.perturbation.is_none();
        (well.well, Sample { name: well.perturbation.unwrap_or(well.role), is_control })
    });
    let well_count = Labware::by_load_name(&plate.labware).ok().map(|labware| labware.format.well_count());
    let of = allotrope::Plate { barcode: plate.barcode, context: plate.context, well_count };
    Ok(Json(allotrope::document(&of, &samples.collect(), &looks)))
}
