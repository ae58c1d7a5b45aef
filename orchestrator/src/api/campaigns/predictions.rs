//! `GET /campaigns/{id}/predictions`: a look-up in the stored posterior, never a wait for a learner.

use crate::api::extract::{Json, Path, Query};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::ids::CampaignId;
use crate::store::predictions;
use axum::extract::State;
use jobs::work::learn::Prediction;
use jobs::{Context, Experiment, Perturbation};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PredictionQuery {
    /// Edits joined by `+` (as `%2B` in a URL).
    #[param(value_type = String)]
    pub perturbation: Perturbation,
    #[param(value_type = String)]
    pub context: Context,
}

/// What the model of a round said of one experiment, before the round's batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PredictionRecord {
    /// The round whose model said it.
    pub round: u32,
    #[serde(flatten)]
    pub experiment: Experiment,
    #[serde(flatten)]
    pub prediction: Prediction,
    /// Value of the acquisition function.
    pub score: f64,
}

/// The latest prediction of one experiment of the pool.
#[utoipa::path(get, path = "/campaigns/{id}/predictions", tag = "models",
    params(("id" = CampaignId, Path), PredictionQuery),
    responses((status = 200, body = PredictionRecord), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<CampaignId>,
    Query(query): Query<PredictionQuery>,
) -> Result<Json<PredictionRecord>, Problem> {
    let experiment = Experiment { perturbation: query.perturbation, context: query.context };
    let mut conn = state.pool.acquire().await?;
    if let Some((round, found)) = predictions::latest(&mut conn, id, &experiment).await? {
        return Ok(Json(PredictionRecord {
            round,
            experiment,
            prediction: found.prediction,
            score: found.score,
        }));
    }
    let what = format!("{} in {}", experiment.perturbation, experiment.context);
    Err(Problem::not_found(
        "prediction",
        format!("of {what}: it is not in the pool, or no round was proposed yet"),
    ))
}
