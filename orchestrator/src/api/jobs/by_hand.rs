//! Steps that people do: on offer, taken in hand, answered for.

use crate::api::access::{Access, Caller, Routes};
use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::given;
use crate::store::jobs::Reported;
use crate::store::jobs::by_hand::{self, InHand, Listed, Taken};
use crate::store::tokens::Scope;
use crate::store::{self, clock};
use ::jobs::state::State as JobState;
use ::jobs::wire::{Disposition, Report};
use ::jobs::work::Outcome;
use ::jobs::{Failure, FailureClass, JobId};
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// How long an answer is waited for: a shift. People do not beat.
const PATIENCE: Duration = Duration::from_secs(8 * 3600);
const LONGEST_NOTE: usize = 2_000;
const MOST_SCANNED: usize = 100;

pub(super) fn routes() -> Routes {
    let hands = Access::AnyOf(&[Scope::WorkPeople]);
    Routes::new()
        .route(Access::AnyOf(&[Scope::Read]), routes!(list))
        .route(hands, routes!(take))
        .route(hands, routes!(give_back))
        .route(hands, routes!(done))
        .route(hands, routes!(went_wrong))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct StepsByHand {
    items: Vec<Listed>,
}

/// Steps that wait for hands or are in some, the oldest first (500 at most).
#[utoipa::path(get, path = "/by-hand", tag = "jobs", responses((status = 200, body = StepsByHand)))]
async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<StepsByHand>, Problem> {
    let mut conn = state.pool.acquire().await?;
    Ok(Json(StepsByHand { items: by_hand::list(&mut conn, &caller.visible()).await? }))
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
struct TakenInHand {
    /// Real time by which an answer must come, or it is in doubt.
    answer_by: DateTime<Utc>,
    /// Whoever is signed in so had it in hand before this request.
    already: bool,
}

/// Takes a step in hand: nobody else is given it. Taking it again changes nothing.
#[utoipa::path(
    post,
    path = "/jobs/{id}/take",
    tag = "jobs",
    params(("id" = JobId, Path)),
    responses((status = 200, body = TakenInHand), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn take(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
) -> Result<Json<TakenInHand>, Problem> {
    let mut conn = state.pool.acquire().await?;
    match by_hand::take(&mut conn, job, caller.id(), PATIENCE).await? {
        Taken::Yes { answer_by, already } => Ok(Json(TakenInHand { answer_by, already })),
        Taken::Barred => {
            let detail = "It may not begin now: it is paused, its instrument is out of service, the laboratory is stopped \
                          or not reconciled, or its time is over. Ask why (GET /jobs/{id}/why).";
            Err(Problem::conflict("job.barred", detail))
        }
        Taken::Refused(now) => {
            let detail =
                format!("It is {}: somebody has it, or it is not its turn. Look again.", now.as_str());
            Err(Problem::conflict("job.not_on_offer", detail))
        }
        Taken::NotForHands => {
            let detail =
                "It is a robot's or a learner's work: only steps of the queue `people` are done by hand.";
            Err(Problem::conflict("job.not_for_hands", detail))
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
struct GivenBack {
    /// `ready`, or `cancelled` when somebody had asked to stop it.
    state: JobState,
}

/// Whose answer it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GiveBack {
    /// As `GET /by-hand` showed it: refused when it was taken anew since.
    #[serde(default)]
    attempt: Option<i32>,
}

/// Nothing was done: it waits for hands again, or is cancelled when somebody had asked to stop it.
#[utoipa::path(
    post,
    path = "/jobs/{id}/give-back",
    tag = "jobs",
    params(("id" = JobId, Path)),
    request_body = GiveBack,
    responses((status = 200, body = GivenBack), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn give_back(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
    Json(said): Json<GiveBack>,
) -> Result<Json<GivenBack>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let given_back = by_hand::give_back(&mut conn, job, caller.id(), said.attempt).await?;
    let (now, consequences) = given_back.ok_or_else(in_nobodys_hands)?;
    state.wakeups.after(&consequences);
    Ok(Json(GivenBack { state: now }))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Done {
    /// Anything worth keeping, for the record.
    #[serde(default)]
    note: String,
    /// Barcodes that were scanned: each must be of a plate of the step. None: nothing was scanned.
    #[serde(default)]
    scanned: Vec<String>,
    /// As `GET /by-hand` showed it: refused when it was taken anew since.
    #[serde(default)]
    attempt: Option<i32>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
struct Answered {
    disposition: Disposition,
}

/// It is done, wholly: what comes after it goes on.
#[utoipa::path(
    post,
    path = "/jobs/{id}/done",
    tag = "jobs",
    params(("id" = JobId, Path)),
    request_body = Done,
    responses(
        (status = 200, body = Answered),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "another plate was scanned"),
    )
)]
async fn done(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
    Json(done): Json<Done>,
) -> Result<Json<Answered>, Problem> {
    let note = short(&done.note)?;
    let held = held(&state, job, done.attempt).await?;
    check_scanned(&held.barcodes, &done.scanned)?;
    let note = if note.is_empty() { "done" } else { note };
    let lab_now = clock::lab_now(&mut *state.pool.acquire().await?).await?;
    let output = by_hand::output(&held.work, note, &done.scanned, lab_now)?;
    let answered =
        answer(&state, &caller, job, held, Outcome::Succeeded { output: Box::new(output) }).await?;
    // It is done, whether the remark can be kept or not.
    if let Err(error) = remark(&state, &caller, job, note, &done.scanned).await {
        tracing::error!(%job, ?error, note, "what was said beside a step by hand is not in the record");
    }
    Ok(answered)
}

async fn remark(
    state: &AppState,
    caller: &Caller,
    job: JobId,
    note: &str,
    scanned: &[String],
) -> store::Result<()> {
    let mut conn = state.pool.acquire().await?;
    by_hand::remark(&mut conn, job, caller.id(), note, scanned).await
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WentWrong {
    reason: String,
    /// As `GET /by-hand` showed it: refused when it was taken anew since.
    #[serde(default)]
    attempt: Option<i32>,
}

/// Something was done and went wrong: it is in doubt until somebody has looked and says what became of it.
#[utoipa::path(
    post,
    path = "/jobs/{id}/went-wrong",
    tag = "jobs",
    params(("id" = JobId, Path)),
    request_body = WentWrong,
    responses((status = 200, body = Answered), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
async fn went_wrong(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
    Json(request): Json<WentWrong>,
) -> Result<Json<Answered>, Problem> {
    let reason = short(given(&request.reason)?)?;
    let held = held(&state, job, request.attempt).await?;
    let failure = Failure::new(FailureClass::NeedsPerson, "hands.went_wrong", reason);
    answer(&state, &caller, job, held, Outcome::Unknown { failure }).await
}

async fn held(state: &AppState, job: JobId, attempt: Option<i32>) -> Result<InHand, Problem> {
    let mut conn = state.pool.acquire().await?;
    by_hand::in_hand(&mut conn, job, attempt).await?.ok_or_else(in_nobodys_hands)
}

async fn answer(
    state: &AppState,
    caller: &Caller,
    job: JobId,
    held: InHand,
    outcome: Outcome,
) -> Result<Json<Answered>, Problem> {
    let report = Report { lease_token: held.token, outcome, lease: None };
    match state.reporter.report(job, caller.id(), &report).await? {
        // Given back or decided on in this very moment: kept, and nothing follows from it.
        Reported::Taken(Disposition::KeptAsEvidence, _) => Err(in_nobodys_hands()),
        Reported::Taken(disposition, _) => Ok(Json(Answered { disposition })),
        Reported::NoSuchJob | Reported::WrongKind { .. } => Err(Problem::not_found("job", job)),
    }
}

fn check_scanned(barcodes: &[String], scanned: &[String]) -> Result<(), Problem> {
    if scanned.len() > MOST_SCANNED {
        let detail = format!("{} barcodes: at most {MOST_SCANNED} are scanned for a step.", scanned.len());
        return Err(Problem::unprocessable("job.note_too_long", detail));
    }
    let Some(wrong) = scanned.iter().find(|scanned| !barcodes.contains(scanned)) else { return Ok(()) };
    let of = if barcodes.is_empty() { "no plate".to_owned() } else { barcodes.join(", ") };
    let detail = format!("{wrong} was scanned; the step is for {of}. Put it back, and take the right one.");
    Err(Problem::unprocessable("job.another_plate", detail))
}

fn short(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if length > LONGEST_NOTE {
        let detail = format!("{length} characters are too many: at most {LONGEST_NOTE} are kept.");
        return Err(Problem::unprocessable("job.note_too_long", detail));
    }
    Ok(text)
}

fn in_nobodys_hands() -> Problem {
    let detail =
        "Nobody has it in hand, or somebody took it anew since: look what became of it, then take it.";
    Problem::conflict("job.not_in_hand", detail)
}
