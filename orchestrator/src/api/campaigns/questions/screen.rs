//! `POST /campaigns/{id}/screens`: has a learner rank a whole space of experiments; `GET ..screens/{job}`.

use super::asked::{self, QuestionRecord, Sort};
use super::contexts;
use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::unfinished::Begun;
use crate::campaigns::Problem as Place;
use crate::ids::CampaignId;
use crate::models::interval::Intervals;
use crate::models::question::Question as Put;
use crate::models::screen;
use crate::rounds::posterior;
use crate::store::Error;
use crate::store::settlements::Settled;
use ::jobs::state::State as JobState;
use ::jobs::work::learn::Prediction;
use ::jobs::work::screen::{MOST_EDITS, MOST_KEPT, RankBy, ScreenResult, Space, SpaceSummary};
use ::jobs::work::{Kind, Output};
use ::jobs::{Digest, Experiment, JobId, Perturbation};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

const LARGEST_BETA: f64 = 100.0;
const LARGEST_PAGE: u32 = 1000;
const SORT: Sort =
    Sort { kind: Kind::Screen, event: "ScreenAsked", most_unanswered: 4, too_many: "screen.too_many" };

/// What is to be ranked, and how.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScreenQuestion {
    pub space: Space,
    /// Probability of a hit when absent.
    #[serde(default)]
    pub rank_by: RankBy,
    /// How many of the best are kept: 1 to 10,000; 100 when absent.
    #[serde(default = "default_keep")]
    pub keep: u32,
    /// Number of the model version; the one in use when absent.
    pub model_version: Option<u32>,
    /// Also in a context that the campaign does not have.
    #[serde(default)]
    pub new_context: bool,
    /// How long to wait for the answer, at most 30; 0 when absent.
    #[serde(default)]
    pub wait_seconds: u32,
}

fn default_keep() -> u32 {
    100
}

#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ScreenQuery {
    /// At most 30; 0 (not at all) when absent.
    #[serde(default)]
    pub wait_seconds: u32,
    /// How many of the best are shown, 1 to 1000; 100 when absent. All that were kept are in the blob `ranking`.
    #[serde(default = "default_keep")]
    pub limit: u32,
}

/// A space, ranked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ScreenAnswer {
    #[serde(flatten)]
    pub question: QuestionRecord,
    /// Absent while the job is not done, as the rest is.
    pub summary: Option<SpaceSummary>,
    /// All that were kept, best first: CSV with the columns of a posterior, from `GET /blobs/{sha256}`.
    pub ranking: Option<Digest>,
    pub screen_seconds: Option<f64>,
    /// The first of them.
    pub best: Option<Vec<RankedExperiment>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RankedExperiment {
    /// From 1.
    pub rank: u32,
    #[serde(flatten)]
    pub experiment: Experiment,
    #[serde(flatten)]
    pub prediction: Prediction,
    pub intervals: Intervals,
    /// What it was ranked by.
    pub score: f64,
}

/// Has a learner rank a whole space of experiments by a version of the model.
///
/// Answers 200 with the ranking, or 202 when it is not done within `wait_seconds`: then look at
/// `GET /campaigns/{id}/screens/{job}`. A repeat under the same `Idempotency-Key` waits for the same job.
#[utoipa::path(post, path = "/campaigns/{id}/screens", tag = "models",
    request_body = ScreenQuestion,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = ScreenAnswer), (status = 202, body = ScreenAnswer, description = "not done yet"),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "`model.none_yet`"),
        (status = 422, body = Problem, description = "`screen.failed` and questions that cannot be asked"),
        (status = 429, body = Problem, description = "`screen.too_many`")))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(question): Json<ScreenQuestion>,
) -> Result<Response, Problem> {
    let ScreenQuestion { space, rank_by, keep, model_version, new_context, wait_seconds } = question;
    asked::check_wait(wait_seconds, "screen.wait_too_long")?;
    check(&space, rank_by, keep)?;
    // Before the transaction, which would hold one connection while another is asked for.
    let missing = match space {
        Space::Table { table } if !state.blobs.has(&state.pool, table).await? => Some(table),
        _ => None,
    };
    let mut tx = Begun::on(&state.pool).await?;
    contexts::check(&mut tx, id, space.context(), new_context, "screen.context_unknown").await?;
    if let Some(table) = missing {
        return Err(Problem::not_found("blob", table));
    }
    let unique_key = key.0.map(|key| format!("screen:{}:{key}", caller.id()));
    let put = Put { campaign: id, version: model_version, unique_key };
    let body = json!({"rank_by": rank_by, "keep": keep, "edits": space.edits().map(<[String]>::len)});
    let asked = screen::ask(&mut tx, put, space, rank_by, keep).await?;
    let record = asked::commit(&state, tx, &SORT, (id, caller.id()), asked, body).await?;
    answer(&state, record, ScreenQuery { wait_seconds, limit: default_keep() }).await
}

/// How far a screen is, and its ranking as soon as there is one.
#[utoipa::path(get, path = "/campaigns/{id}/screens/{job}", tag = "models",
    params(("id" = CampaignId, Path), ("job" = JobId, Path), ScreenQuery),
    responses((status = 200, body = ScreenAnswer), (status = 202, body = ScreenAnswer, description = "not done yet"),
        (status = 404, body = Problem), (status = 422, body = Problem, description = "`screen.failed`")))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path((id, job)): Path<(CampaignId, JobId)>,
    Query(query): Query<ScreenQuery>,
) -> Result<Response, Problem> {
    asked::check_wait(query.wait_seconds, "screen.wait_too_long")?;
    let record = asked::find(&state, id, job, Kind::Screen).await?;
    answer(&state, record, query).await
}

fn check(space: &Space, rank_by: RankBy, keep: u32) -> Result<(), Problem> {
    if keep == 0 || keep > MOST_KEPT {
        let detail = format!("A screen keeps 1 to {MOST_KEPT} experiments, not {keep}.");
        return Err(Problem::unprocessable("screen.keep_out_of_range", detail));
    }
    match rank_by {
        RankBy::UpperBound { beta } | RankBy::LowerBound { beta }
            if !(0.0..=LARGEST_BETA).contains(&beta) =>
        {
            let detail = format!("beta, in standard deviations, is 0 to {LARGEST_BETA}.");
            return Err(Problem::unprocessable("screen.beta_out_of_range", detail));
        }
        _ => {}
    }
    space.edits().map_or(Ok(()), |edits| check_edits(space, edits))
}

/// Every name that can be no edit is named with its place.
fn check_edits(space: &Space, edits: &[String]) -> Result<(), Problem> {
    let fewest = if matches!(space, Space::Pairs { .. }) { 2 } else { 1 };
    if edits.len() < fewest || edits.len() > MOST_EDITS {
        let detail = format!("Such a space is made of {fewest} to {MOST_EDITS} edits, not {}.", edits.len());
        return Err(Problem::unprocessable("screen.edits_count", detail));
    }
    let place = |(place, edit): (u32, &String)| {
        let error = Perturbation::new([edit.as_str()]).err()?;
        let path = format!("space.edits[{place}]");
        Some(Place { path, line: place + 1, column: 1, reason: error.to_string() })
    };
    let wrong: Vec<Place> = (0..).zip(edits).filter_map(place).collect();
    let Some(first) = wrong.first() else { return Ok(()) };
    let (count, all, path, reason) = (wrong.len(), edits.len(), &first.path, &first.reason);
    let detail = format!("{count} of {all} edits cannot be read; the first is {path}: {reason}.");
    Err(Problem::unprocessable("screen.edit_invalid", detail).with_errors(wrong))
}

async fn answer(
    state: &AppState,
    mut question: QuestionRecord,
    query: ScreenQuery,
) -> Result<Response, Problem> {
    let settled = state.wakeups.subscribe_settled();
    let until = Instant::now() + Duration::from_secs(query.wait_seconds.into());
    let Some(settled) = asked::outcome(state, question.job_id, settled, until).await? else {
        let answer =
            ScreenAnswer { question, summary: None, ranking: None, screen_seconds: None, best: None };
        return Ok((StatusCode::ACCEPTED, Json(answer)).into_response());
    };
    question.state = JobState::Succeeded;
    let ScreenResult { ranking, summary, screen_seconds, .. } = result(settled)?;
    let best = best(state, ranking, query.limit.clamp(1, LARGEST_PAGE)).await?;
    let (summary, ranking) = (Some(summary), Some(ranking));
    let (screen_seconds, best) = (Some(screen_seconds), Some(best));
    Ok(Json(ScreenAnswer { question, summary, ranking, screen_seconds, best }).into_response())
}

fn result(settled: Settled) -> Result<ScreenResult, Problem> {
    match settled.output {
        Some(Output::Screen(result)) => Ok(result),
        _ => Err(asked::failed("screen.failed", settled)),
    }
}

/// The first rows of a ranking.
async fn best(state: &AppState, ranking: Digest, limit: u32) -> Result<Vec<RankedExperiment>, Problem> {
    let bytes = state.blobs.read(ranking).await?;
    let rows = posterior::parse(&bytes).map_err(|error| Error::corrupt("ranking of a screen", error))?;
    let ranked = (1..=limit).zip(rows).map(|(rank, row)| RankedExperiment {
        rank,
        experiment: row.experiment,
        intervals: Intervals::of(&row.prediction),
        prediction: row.prediction,
        score: row.score,
    });
    Ok(ranked.collect())
}
