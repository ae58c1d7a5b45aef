//! A question from its job's creation to its end.

use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::unfinished::Begun;
use crate::ids::{ActorId, CampaignId};
use crate::models::question::{Asked, version_of};
use crate::store::events::{self, NewEvent};
use crate::store::jobs;
use crate::store::models::ModelVersion;
use crate::store::settlements::{self, Settled};
use ::jobs::state::State;
use ::jobs::wire::Progress;
use ::jobs::work::Kind;
use ::jobs::{Digest, JobId};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};

const LONGEST_WAIT_SECONDS: u32 = 30;
/// A wake-up may be lost; this look is not.
const LOOK: Duration = Duration::from_secs(1);

/// A question, to whom it went, and how far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuestionRecord {
    /// The job in which a learner answers.
    pub job_id: JobId,
    pub state: State,
    pub model_version: u32,
    pub checkpoint: Digest,
    /// Rows that the version was trained on.
    pub training_rows: u64,
    /// What its worker last said.
    pub progress: Option<Progress>,
}

impl QuestionRecord {
    fn of(job_id: JobId, state: State, model: &ModelVersion) -> Self {
        Self {
            job_id,
            state,
            model_version: model.number,
            checkpoint: model.checkpoint,
            training_rows: model.metrics.training_rows,
            progress: None,
        }
    }
}

/// How long whoever looks for an answer waits for it.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Patience {
    /// At most 30; 0 (not at all) when absent.
    #[serde(default)]
    pub wait_seconds: u32,
}

/// A kind of question: in which words it is recorded, and how many of them a campaign may have open.
pub(super) struct Sort {
    pub kind: Kind,
    pub event: &'static str,
    pub most_unanswered: i64,
    pub too_many: &'static str,
}

pub(super) fn check_wait(seconds: u32, code: &str) -> Result<(), Problem> {
    if seconds > LONGEST_WAIT_SECONDS {
        let detail = format!("wait_seconds is at most {LONGEST_WAIT_SECONDS}; look again after that.");
        return Err(Problem::unprocessable(code, detail));
    }
    Ok(())
}

/// Commits a question that was put, with its event; `body` is what the event says of it.
pub(super) async fn commit(
    state: &AppState,
    mut tx: Begun,
    sort: &Sort,
    (campaign, actor): (CampaignId, ActorId),
    asked: Asked,
    mut body: Value,
) -> Result<QuestionRecord, Problem> {
    let (job, model, consequences) = match asked {
        Asked::Asked { job, model, consequences } => (job, model, consequences),
        refused => return Err(refusal(refused)),
    };
    let mut stands = State::Ready;
    if consequences.is_empty() {
        // A repeat asks nobody.
        stands = jobs::state_of(&mut tx, job).await?.unwrap_or(stands);
    } else {
        let waiting = jobs::unanswered(&mut tx, campaign, sort.kind).await?;
        if waiting > sort.most_unanswered {
            return Err(too_many(sort));
        }
        body["model_version"] = model.number.into();
        let event = NewEvent {
            kind: sort.event,
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
    Ok(QuestionRecord::of(job, stands, &model))
}

fn refusal(asked: Asked) -> Problem {
    match asked {
        Asked::NoModel => {
            let detail = "No version of the campaign's model is in use yet. Ask again when the first is trained \
                          (`loopwright model list` shows the versions; one that is not in use is asked by number).";
            Problem::conflict("model.none_yet", detail)
        }
        Asked::NoSuchVersion(number) => Problem::not_found("model_version", number),
        Asked::KeyReused | Asked::Asked { .. } => {
            let detail = "This Idempotency-Key was used for another question. Take a fresh one.";
            Problem::unprocessable("request.idempotency_key_reused", detail)
        }
    }
}

fn too_many(sort: &Sort) -> Problem {
    let detail = format!(
        "{} questions of this kind wait for an answer in this campaign. Wait for one, or cancel one: `loopwright job \
         list --kind {}` shows them, `loopwright why job ID` says what they wait for.",
        sort.most_unanswered, sort.kind
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, sort.too_many, detail)
}

/// A question of `campaign` that was asked before.
pub(super) async fn find(
    state: &AppState,
    campaign: CampaignId,
    job: JobId,
    kind: Kind,
) -> Result<QuestionRecord, Problem> {
    let mut conn = state.pool.acquire().await?;
    let detail = jobs::get(&mut conn, job).await?;
    let nobodys = || Problem::not_found("job", job);
    if detail.summary.kind != kind || detail.summary.campaign_id != Some(campaign) {
        return Err(nobodys());
    }
    let model = version_of(&mut conn, campaign, &detail.payload).await?.ok_or_else(nobodys)?;
    let progress = detail.summary.progress.and_then(|said| serde_json::from_value(said).ok());
    Ok(QuestionRecord { progress, ..QuestionRecord::of(job, detail.summary.state, &model) })
}

/// What became of the job, once it is settled; `None` when it is not by `until`.
pub(super) async fn outcome(
    state: &AppState,
    job: JobId,
    mut settled: watch::Receiver<()>,
    until: Instant,
) -> Result<Option<Settled>, Problem> {
    loop {
        // No connection is held while waiting.
        let found = settlements::load(&mut *state.pool.acquire().await?, job).await?;
        let now = Instant::now();
        if found.is_some() || now >= until {
            return Ok(found);
        }
        // Woken, or time to look again: both lead to a look.
        let _ = timeout_at(until.min(now + LOOK), settled.changed()).await;
    }
}

/// Why there is no answer and will be none.
pub(super) fn failed(code: &str, settled: Settled) -> Problem {
    let why = settled.failure.map_or_else(|| "it was stopped".to_owned(), |failure| failure.message);
    let detail = format!("The learner could not answer (job {}): {why}", settled.job_id);
    Problem::unprocessable(code, detail)
}
