//! `GET /batches/{id}/plan`: the plates of a batch, well by well.
//!
//! Before planning they are computed as the draft was; after it they are read as they were made.

use super::refusal;
use crate::api::extract::{Json, Path, Query};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::batches::State as BatchState;
use crate::engine::preview::Preview;
use crate::ids::{BatchId, ProposalId};
use crate::planning::{PlannedPlate, Role};
use crate::store::batches::{self, Batch};
use crate::store::proposals::{self, Proposal};
use crate::store::rounds::{self, Round};
use crate::store::{Error, campaigns, plates};
use axum::extract::State;
use instruments::labware::Labware;
use jobs::{Digest, Perturbation};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_PLATES: usize = 20;
const MOST_PLATES: usize = 50;

/// The plates of a batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchPlan {
    /// Of the whole plan. Another than the draft's: the laboratory changed since, and the draft is computed anew.
    pub digest: Option<Digest>,
    /// Whether they are made already, or only planned.
    pub made: bool,
    /// In order of ordinal.
    pub plates: Vec<PlatePlan>,
    /// `from` of the next part; null when this is the last.
    pub next_from: Option<u32>,
}

/// One plate with its map.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlatePlan {
    pub ordinal: u32,
    pub barcode: String,
    pub labware: String,
    pub context: String,
    pub rows: u32,
    pub columns: u32,
    /// Row by row; empty wells are left out.
    pub wells: Vec<WellPlan>,
}

/// What is to go into one well.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WellPlan {
    /// `C7`
    pub well: String,
    pub role: Role,
    /// For samples only, as `perturbation`.
    pub proposal_id: Option<ProposalId>,
    pub perturbation: Option<Perturbation>,
    /// From 1, per experiment; of controls per plate.
    pub replicate: u32,
    /// What is dispensed into it, one transfer each.
    pub contents: Vec<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PlanQuery {
    /// Plates from this ordinal on; from the first when absent.
    pub from: Option<u32>,
    /// Plates in one answer, 1..=50; 20 when absent.
    pub limit: Option<usize>,
}

/// The plates of a batch, well by well: as they would be made now, or as they were.
#[utoipa::path(get, path = "/batches/{id}/plan", tag = "batches", params(("id" = BatchId, Path), PlanQuery),
    responses((status = 200, body = BatchPlan), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`batch.cannot_be_planned`, `batch.not_awaiting_approval`")))]
pub(super) async fn get_plan(
    State(state): State<AppState>,
    Path(id): Path<BatchId>,
    Query(query): Query<PlanQuery>,
) -> Result<Json<BatchPlan>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let batch = batches::by_id(&mut conn, id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
    let round = rounds::by_id(&mut conn, batch.round_id)
        .await?
        .ok_or_else(|| Problem::not_found("round", batch.round_id))?;
    let proposals = proposals::of_batch(&mut conn, id).await?;
    let (digest, mut planned) = match batch.state {
        BatchState::Rejected | BatchState::Withdrawn => return Err(refusal::not_awaiting(batch.state)),
        BatchState::Planned => (batch.plan_digest, made(&mut conn, &round, &batch, &proposals).await?),
        BatchState::AwaitingApproval | BatchState::Approved => {
            let preview = Preview::read(&mut conn, &round, &batch).await?;
            drop(conn);
            // A large batch takes its time.
            let plan = tokio::task::spawn_blocking(move || preview.plan())
                .await
                .map_err(|error| Problem::bug(&error))?
                .map_err(|impossible| refusal::cannot_be_planned(&impossible.to_string()))?;
            (Some(plan.digest()), of_plan(&plan.plates, &proposals)?)
        }
    };
    let from = query.from.unwrap_or(1);
    let limit = query.limit.unwrap_or(DEFAULT_PLATES).clamp(1, MOST_PLATES);
    planned.retain(|plate| plate.ordinal >= from);
    let next_from = planned.get(limit).map(|plate| plate.ordinal);
    planned.truncate(limit);
    let made = batch.state == BatchState::Planned;
    Ok(Json(BatchPlan { digest, made, plates: planned, next_from }))
}

fn by_id(proposals: &[Proposal]) -> BTreeMap<ProposalId, &Perturbation> {
    proposals.iter().map(|proposal| (proposal.id, &proposal.experiment.perturbation)).collect()
}

fn of_plan(planned: &[PlannedPlate], proposals: &[Proposal]) -> Result<Vec<PlatePlan>, Problem> {
    let perturbations = by_id(proposals);
    let well = |it: &crate::planning::PlannedWell| WellPlan {
        well: it.well.to_string(),
        role: it.role,
        proposal_id: it.proposal,
        perturbation: it.proposal.and_then(|id| perturbations.get(&id)).map(|it| (*it).clone()),
        replicate: it.replicate,
        contents: it.contents.clone(),
    };
    let plate = |it: &PlannedPlate| {
        let wells = it.wells.iter().map(well).collect();
        shaped(it.ordinal, it.barcode.clone(), it.labware.clone(), it.context.clone(), wells)
    };
    planned.iter().map(plate).collect()
}

/// The newest edition of each plate that was made for the batch.
async fn made(
    conn: &mut PgConnection,
    round: &Round,
    batch: &Batch,
    proposals: &[Proposal],
) -> Result<Vec<PlatePlan>, Problem> {
    let controls = campaigns::version(conn, round.campaign_id, round.campaign_version)
        .await?
        .ok_or_else(|| Problem::not_found("campaign version", round.campaign_version))?
        .spec
        .controls;
    let perturbations = by_id(proposals);
    let mut newest: BTreeMap<u32, plates::Plate> = BTreeMap::new();
    for plate in plates::of_round(conn, round.id).await?.into_iter().filter(|it| it.batch_id == batch.id) {
        let known = newest.get(&plate.ordinal).map_or(0, |it| it.generation);
        if plate.generation > known {
            newest.insert(plate.ordinal, plate);
        }
    }
    let mut made = Vec::with_capacity(newest.len());
    for plate in newest.into_values() {
        let wells = plates::map(conn, plate.id).await?.into_iter().map(|it| {
            let perturbation = it.proposal.and_then(|id| perturbations.get(&id)).map(|it| (*it).clone());
            let contents = match (it.role, &perturbation) {
                (Role::NegativeControl, _) => vec![controls.negative.content.clone()],
                (Role::PositiveControl, _) => vec![controls.positive.content.clone()],
                (Role::Sample, Some(perturbation)) => perturbation.edits().to_vec(),
                (Role::Sample, None) => Vec::new(),
            };
            let (well, role, replicate) = (it.well.to_string(), it.role, it.replicate);
            WellPlan { well, role, proposal_id: it.proposal, perturbation, replicate, contents }
        });
        let wells = wells.collect();
        made.push(shaped(plate.ordinal, plate.barcode, plate.labware, plate.context, wells)?);
    }
    Ok(made)
}

fn shaped(
    ordinal: u32,
    barcode: String,
    labware: String,
    context: String,
    wells: Vec<WellPlan>,
) -> Result<PlatePlan, Problem> {
    let format = Labware::by_load_name(&labware).map_err(|error| Error::corrupt("labware", error))?.format;
    let (rows, columns) = (format.rows().into(), format.columns().into());
    Ok(PlatePlan { ordinal, barcode, labware, context, rows, columns, wells })
}
