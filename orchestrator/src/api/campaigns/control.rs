//! `POST /campaigns/{id}/pause|drain|resume|cancel`

use super::view::CampaignLine;
use crate::api::access::Caller;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write, given};
use crate::campaigns::control::{self, Ordered};
use crate::campaigns::state::{Event, Rejected, State as CampaignState};
use crate::ids::CampaignId;
use crate::store::campaigns;
use crate::store::jobs::Consequences;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why, when there is something to say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MayGiveReason {
    pub reason: Option<String>,
}

/// Why; it goes into the record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivesReason {
    pub reason: String,
}

/// Pauses a campaign: nothing of it is given out to anybody.
///
/// What has begun is brought to its end; plates in an incubator stay there. To let a live round go to its end, drain
/// it. Pausing what is paused changes nothing.
#[utoipa::path(post, path = "/campaigns/{id}/pause", tag = "campaigns", request_body = MayGiveReason,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = CampaignLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`campaign.not_in_state`")))]
pub(super) async fn pause(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(request): Json<MayGiveReason>,
) -> Result<Response, Problem> {
    let mut write =
        match Write::begin(&state, &caller, key, "POST /campaigns/{id}/pause", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let (reason, actor) = (request.reason.unwrap_or_default(), write.actor());
    let ordered = control::pause(write.conn(), id, reason.trim(), actor).await?;
    answer(*write, id, ordered).await
}

/// Drains a campaign: its live round goes to its end, no further one begins; then it is paused.
///
/// Draining what drains changes nothing.
#[utoipa::path(post, path = "/campaigns/{id}/drain", tag = "campaigns", request_body = MayGiveReason,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = CampaignLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`campaign.not_in_state`")))]
pub(super) async fn drain(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(request): Json<MayGiveReason>,
) -> Result<Response, Problem> {
    let mut write =
        match Write::begin(&state, &caller, key, "POST /campaigns/{id}/drain", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let (reason, actor) = (request.reason.unwrap_or_default(), write.actor());
    let ordered = control::drain(write.conn(), id, reason.trim(), actor).await?;
    answer(*write, id, ordered).await
}

/// Lets rounds begin again.
///
/// Resuming what is active changes nothing.
#[utoipa::path(post, path = "/campaigns/{id}/resume", tag = "campaigns", request_body = MayGiveReason,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = CampaignLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`campaign.not_in_state`")))]
pub(super) async fn resume(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(request): Json<MayGiveReason>,
) -> Result<Response, Problem> {
    let mut write =
        match Write::begin(&state, &caller, key, "POST /campaigns/{id}/resume", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let (reason, actor) = (request.reason.unwrap_or_default(), write.actor());
    let ordered = control::resume(write.conn(), id, reason.trim(), actor).await?;
    answer(*write, id, ordered).await
}

/// Ends a campaign and its live round.
///
/// Jobs that have not begun are cancelled, running ones are asked to stop. What was measured stays.
#[utoipa::path(post, path = "/campaigns/{id}/cancel", tag = "campaigns", request_body = GivesReason,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = CampaignLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`campaign.not_in_state`"), (status = 422, body = Problem)))]
pub(super) async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(request): Json<GivesReason>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let mut write =
        match Write::begin(&state, &caller, key, "POST /campaigns/{id}/cancel", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let actor = write.actor();
    let ordered = control::cancel(write.conn(), id, reason, actor).await?;
    answer(*write, id, ordered).await
}

async fn answer(mut write: Write, id: CampaignId, ordered: Ordered) -> Result<Response, Problem> {
    let (campaign, consequences) = match ordered {
        Ordered::Done(campaign, consequences) => (campaign, consequences),
        Ordered::NotFound => return Err(Problem::not_found("campaign", id)),
        Ordered::Refused(rejected) if is_so_already(rejected) => {
            let campaign = campaigns::by_id(write.conn(), id)
                .await?
                .ok_or_else(|| Problem::not_found("campaign", id))?;
            (campaign, Consequences::default())
        }
        Ordered::Refused(Rejected { state, .. }) => {
            let detail = format!("The campaign is {}: this cannot be done any more.", state.as_str());
            return Err(Problem::conflict("campaign.not_in_state", detail));
        }
        Ordered::ChangedMeanwhile => {
            return Err(Problem::try_again(
                "campaign.changed_meanwhile",
                "Somebody changed it at the same moment.",
            ));
        }
    };
    write.finish(StatusCode::OK, &CampaignLine::from(campaign), &consequences).await
}

/// A repeat: what is asked for is so.
fn is_so_already(rejected: Rejected) -> bool {
    matches!(
        (rejected.state, rejected.event),
        (CampaignState::Paused, Event::Paused)
            | (CampaignState::Draining, Event::DrainOrdered)
            | (CampaignState::Active, Event::Resumed)
            | (CampaignState::Cancelled, Event::Cancelled)
    )
}
