//! `POST /campaigns/{id}/predictions`: asks a learner, and waits a while for its answer; `GET ..predictions/{job}`.
//!
//! For what the look-up ([`super::super::predictions`]) cannot say: experiments outside the pool, and older versions of
//! the model. The job has a queue of its own, so it is answered while a training runs.

use super::asked::{self, Patience, QuestionRecord, Sort};
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
use crate::models::note::note;
use crate::models::predict;
use crate::models::question::Question as Put;
use crate::store::settlements::Settled;
use ::jobs::state::State as JobState;
use ::jobs::work::learn::{Grounds, PredictResult, Prediction};
use ::jobs::work::readout::ReadoutPrediction;
use ::jobs::work::{Kind, Output, Work};
use ::jobs::{Context, Experiment, JobId};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

const MOST_EXPERIMENTS: usize = 1000;
const LONGEST_CONTEXT: usize = 200;
const SORT: Sort = Sort {
    kind: Kind::Predict,
    event: "PredictionAsked",
    most_unanswered: 100,
    too_many: "prediction.too_many",
};

/// What is asked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// 1 to 1000; they need not be in the campaign's pool.
    pub experiments: Vec<NamedExperiment>,
    /// Number of the model version; the one in use when absent.
    pub model_version: Option<u32>,
    /// Also of contexts that the campaign does not have.
    #[serde(default)]
    pub new_context: bool,
    /// How long to wait for the answer, at most 30.
    #[serde(default = "default_wait")]
    pub wait_seconds: u32,
}

/// An experiment as people write it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedExperiment {
    /// Edits joined by `+`.
    #[schema(example = "CBLB+RASA2")]
    pub perturbation: String,
    pub context: String,
}

fn default_wait() -> u32 {
    20
}

/// What a version of the model says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Answer {
    #[serde(flatten)]
    pub question: QuestionRecord,
    /// In the order asked; absent while the job is not done.
    pub predictions: Option<Vec<Predicted>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Predicted {
    #[serde(flatten)]
    pub experiment: Experiment,
    #[serde(flatten)]
    pub prediction: Prediction,
    pub intervals: Intervals,
    /// What it says of further readouts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readouts: Vec<ReadoutPrediction>,
    /// What it rests on; absent where the learner is too old to say.
    pub grounds: Option<Grounds>,
    /// The same in words.
    pub note: String,
}

/// Asks a learner for predictions, also of experiments outside the pool or by an older model.
///
/// Answers 200 with the predictions, or 202 when no learner has answered within `wait_seconds`: then look at
/// `GET /campaigns/{id}/predictions/{job}`. A repeat under the same `Idempotency-Key` waits for the same job.
#[utoipa::path(post, path = "/campaigns/{id}/predictions", tag = "models", request_body = Question,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = Answer), (status = 202, body = Answer, description = "not answered yet"),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "`model.none_yet`"),
        (status = 422, body = Problem, description = "`prediction.failed` and questions that cannot be asked"),
        (status = 429, body = Problem, description = "`prediction.too_many`")))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(question): Json<Question>,
) -> Result<Response, Problem> {
    asked::check_wait(question.wait_seconds, "prediction.wait_too_long")?;
    let experiments = parse(&question.experiments)?;
    let mut tx = Begun::on(&state.pool).await?;
    let contexts = experiments.iter().map(|experiment| &experiment.context);
    contexts::check(&mut tx, id, contexts, question.new_context, "prediction.context_unknown").await?;
    let unique_key = key.0.map(|key| format!("predict:{}:{key}", caller.id()));
    let put = Put { campaign: id, version: question.model_version, unique_key };
    let body = json!({"experiments": experiments.len()});
    let asked = predict::ask(&mut tx, put, experiments).await?;
    let record = asked::commit(&state, tx, &SORT, (id, caller.id()), asked, body).await?;
    answer(&state, record, question.wait_seconds).await
}

/// The answer to a question that was asked before, as soon as there is one.
#[utoipa::path(get, path = "/campaigns/{id}/predictions/{job}", tag = "models",
    params(("id" = CampaignId, Path), ("job" = JobId, Path), Patience),
    responses((status = 200, body = Answer), (status = 202, body = Answer, description = "not answered yet"),
        (status = 404, body = Problem), (status = 422, body = Problem, description = "`prediction.failed`")))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path((id, job)): Path<(CampaignId, JobId)>,
    Query(patience): Query<Patience>,
) -> Result<Response, Problem> {
    asked::check_wait(patience.wait_seconds, "prediction.wait_too_long")?;
    let record = asked::find(&state, id, job, Kind::Predict).await?;
    answer(&state, record, patience.wait_seconds).await
}

/// Every experiment that can be none is named with its place.
fn parse(named: &[NamedExperiment]) -> Result<Vec<Experiment>, Problem> {
    if named.is_empty() || named.len() > MOST_EXPERIMENTS {
        let detail = format!("Ask for 1 to {MOST_EXPERIMENTS} experiments at a time, not {}.", named.len());
        return Err(Problem::unprocessable("prediction.experiments_count", detail));
    }
    let (mut experiments, mut wrong) = (Vec::new(), Vec::new());
    for (place, one) in (0..).zip(named) {
        let mut refuse = |field: &str, reason: String| {
            let path = format!("experiments[{place}].{field}");
            wrong.push(Place { path, line: place + 1, column: 1, reason });
        };
        if one.context.is_empty() || one.context.len() > LONGEST_CONTEXT {
            refuse("context", format!("a context's name has 1 to {LONGEST_CONTEXT} bytes"));
        }
        match one.perturbation.parse() {
            Ok(perturbation) => {
                experiments.push(Experiment { perturbation, context: Context(one.context.clone()) })
            }
            Err(error) => refuse("perturbation", ::jobs::experiment::NotAPerturbation::to_string(&error)),
        }
    }
    let Some(first) = wrong.first() else { return Ok(experiments) };
    let detail = format!(
        "{} of {} experiments cannot be read; the first is {}: {}. Edits are joined by `+`, as in CBLB+RASA2.",
        wrong.len(),
        named.len(),
        first.path,
        first.reason
    );
    Err(Problem::unprocessable("prediction.experiment_invalid", detail).with_errors(wrong))
}

async fn answer(
    state: &AppState,
    mut question: QuestionRecord,
    wait_seconds: u32,
) -> Result<Response, Problem> {
    let settled = state.wakeups.subscribe_settled();
    let until = Instant::now() + Duration::from_secs(wait_seconds.into());
    let Some(settled) = asked::outcome(state, question.job_id, settled, until).await? else {
        return Ok((StatusCode::ACCEPTED, Json(Answer { question, predictions: None })).into_response());
    };
    question.state = JobState::Succeeded;
    let predictions = Some(predicted(settled, question.training_rows)?);
    Ok(Json(Answer { question, predictions }).into_response())
}

fn predicted(settled: Settled, training_rows: u64) -> Result<Vec<Predicted>, Problem> {
    let (Work::Predict(asked), Some(Output::Predict(said))) = (&settled.work, &settled.output) else {
        return Err(asked::failed("prediction.failed", settled));
    };
    let PredictResult { predictions, readouts, grounds } = said;
    let grounds = grounds.iter().cloned().map(Some).chain(std::iter::repeat(None));
    let readouts = readouts.iter().cloned().chain(std::iter::repeat(Vec::new()));
    let rows = asked.experiments.iter().cloned().zip(predictions).zip(grounds.zip(readouts));
    Ok(rows
        .map(|((experiment, prediction), (grounds, readouts))| Predicted {
            experiment,
            prediction: *prediction,
            intervals: Intervals::of(prediction),
            readouts,
            note: note(training_rows, grounds.as_ref()),
            grounds,
        })
        .collect())
}
