//! `POST /campaigns/{id}/predictions`: asks a learner, and waits a while for its answer.
//!
//! For what the look-up ([`super::predictions`]) cannot say: experiments outside the pool, and older versions of
//! the model. The job has a queue of its own, so it is answered while a training runs.

use crate::api::access::Caller;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::unfinished::Begun;
use crate::ids::{ActorId, CampaignId};
use crate::models::predict::{self, Asked};
use crate::store::campaigns;
use crate::store::events::{self, NewEvent};
use crate::store::jobs::Consequences;
use crate::store::settlements::{self, Settled};
use ::jobs::work::Output;
use ::jobs::work::learn::{PredictResult, Prediction};
use ::jobs::{Digest, Experiment, JobId};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

const LONGEST_WAIT_SECONDS: u32 = 30;
const MOST_EXPERIMENTS: usize = 1000;
/// A wake-up may be lost; this look is not.
const LOOK: Duration = Duration::from_secs(1);

/// What is asked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// 1 to 1000; they need not be in the campaign's pool.
    pub experiments: Vec<Experiment>,
    /// Number of the model version; the one in use when absent.
    pub model_version: Option<u32>,
    /// How long to wait for the answer, at most 30.
    #[serde(default = "default_wait")]
    pub wait_seconds: u32,
}

fn default_wait() -> u32 {
    20
}

/// What a version of the model says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Answer {
    /// The `predict` job; when there is no answer yet, it will be in its `output`.
    pub job_id: JobId,
    pub model_version: u32,
    pub checkpoint: Digest,
    /// In the order asked; absent while the job is not done.
    pub predictions: Option<Vec<Predicted>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Predicted {
    #[serde(flatten)]
    pub experiment: Experiment,
    #[serde(flatten)]
    pub prediction: Prediction,
}

/// Asks a learner for predictions, also of experiments outside the pool or by an older model.
///
/// Answers 200 with the predictions, or 202 when no learner has answered within `wait_seconds`. A repeat under the
/// same `Idempotency-Key` waits for the same job.
#[utoipa::path(post, path = "/campaigns/{id}/predictions", tag = "models", request_body = Question,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = Answer),
        (status = 202, body = Answer, description = "not answered yet: look at the job"),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "`model.none_yet`"),
        (status = 422, body = Problem, description = "`prediction.failed` and questions that cannot be asked")))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(question): Json<Question>,
) -> Result<Response, Problem> {
    check(&question)?;
    let settled = state.wakeups.subscribe_settled();
    let unique_key = key.0.map(|key| format!("predict:{}:{key}", caller.id()));
    let (job, mut answer) = create(&state, id, &question, unique_key, caller.id()).await?;
    let until = Instant::now() + Duration::from_secs(question.wait_seconds.into());
    let Some(result) = outcome(&state, job, settled, until).await? else {
        return Ok((StatusCode::ACCEPTED, Json(answer)).into_response());
    };
    let said = question.experiments.into_iter().zip(result.predictions);
    answer.predictions =
        Some(said.map(|(experiment, prediction)| Predicted { experiment, prediction }).collect());
    Ok(Json(answer).into_response())
}

fn check(question: &Question) -> Result<(), Problem> {
    if question.wait_seconds > LONGEST_WAIT_SECONDS {
        let detail = format!("wait_seconds is at most {LONGEST_WAIT_SECONDS}; look at the job after that.");
        return Err(Problem::unprocessable("prediction.wait_too_long", detail));
    }
    if question.experiments.is_empty() || question.experiments.len() > MOST_EXPERIMENTS {
        let detail = format!("Ask for 1 to {MOST_EXPERIMENTS} experiments at a time.");
        return Err(Problem::unprocessable("prediction.experiments_count", detail));
    }
    Ok(())
}

async fn create(
    state: &AppState,
    campaign: CampaignId,
    question: &Question,
    unique_key: Option<String>,
    actor: ActorId,
) -> Result<(JobId, Answer), Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    if campaigns::by_id(&mut tx, campaign).await?.is_none() {
        return Err(Problem::not_found("campaign", campaign));
    }
    let experiments = question.experiments.clone();
    let asked = predict::ask(&mut tx, campaign, question.model_version, experiments, unique_key).await?;
    match asked {
        Asked::Asked { job, model, consequences } => {
            // A repeat asks nobody.
            if consequences != Consequences::default() {
                let body = json!({"model_version": model.number, "experiments": question.experiments.len()});
                let event = NewEvent {
                    kind: "PredictionAsked",
                    subject: "job",
                    subject_id: job.to_string(),
                    campaign_id: Some(campaign),
                    actor,
                    body,
                };
                events::append(&mut tx, &event).await?;
            }
            tx.commit().await?;
            state.wakeups.after(&consequences);
            let answer = Answer {
                job_id: job,
                model_version: model.number,
                checkpoint: model.checkpoint,
                predictions: None,
            };
            Ok((job, answer))
        }
        Asked::NoModel => {
            let detail =
                "No version of the campaign's model is in use yet. Ask again when the first is trained.";
            Err(Problem::conflict("model.none_yet", detail))
        }
        Asked::NoSuchVersion(number) => Err(Problem::not_found("model_version", number)),
        Asked::KeyReused => {
            let detail = "This Idempotency-Key was used for another question. Take a fresh one.";
            Err(Problem::unprocessable("request.idempotency_key_reused", detail))
        }
    }
}

/// The job's result, or `None` when it has not settled by `until`.
async fn outcome(
    state: &AppState,
    job: JobId,
    mut settled: watch::Receiver<()>,
    until: Instant,
) -> Result<Option<PredictResult>, Problem> {
    loop {
        // No connection is held while waiting.
        let found = settlements::load(&mut *state.pool.acquire().await?, job).await?;
        if let Some(settled) = found {
            return result(settled).map(Some);
        }
        let now = Instant::now();
        if now >= until {
            return Ok(None);
        }
        // Woken, or time to look again: both lead to a look.
        let _ = timeout_at(until.min(now + LOOK), settled.changed()).await;
    }
}

fn result(settled: Settled) -> Result<PredictResult, Problem> {
    if let Some(Output::Predict(result)) = settled.output {
        return Ok(result);
    }
    let why = settled.failure.map_or_else(|| "it was stopped".to_owned(), |failure| failure.message);
    let detail = format!("The learner could not answer (job {}): {why}", settled.job_id);
    Err(Problem::unprocessable("prediction.failed", detail))
}
