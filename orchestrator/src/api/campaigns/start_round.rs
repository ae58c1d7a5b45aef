//! `POST /campaigns/{id}/start-round`

use crate::api::access::Caller;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::rounds::RoundRecord;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write};
use crate::campaigns::start_round::{Started, start_round};
use crate::ids::CampaignId;
use crate::store::jobs::Consequences;
use crate::store::rounds;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a round is begun by hand.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartRound {
    /// Begin although it is blackout.
    pub despite_blackout: bool,
}

/// Begins the next round now, whatever the calendar says.
///
/// In every mode. The calendar's own ticks stay as they are. Refused while another round runs (unless the campaign
/// lets them overlap), before the first model is trained, in a blackout, and when the budget is spent.
#[utoipa::path(post, path = "/campaigns/{id}/start-round", tag = "campaigns", request_body = StartRound,
    params(("id" = CampaignId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 201, body = RoundRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`campaign.not_in_state`, `round.one_runs`, `round.no_model_yet`, `round.in_blackout`, `round.budget_spent`, `round.calendar_ended`")))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<CampaignId>,
    Json(request): Json<StartRound>,
) -> Result<Response, Problem> {
    let mut write = match Write::begin(
        &state,
        &caller,
        key,
        "POST /campaigns/{id}/start-round",
        &(id, &request),
    )
    .await?
    {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let actor = write.actor();
    let round = match start_round(write.conn(), id, request.despite_blackout, actor).await? {
        Started::Started(round) => round,
        Started::NotFound => return Err(Problem::not_found("campaign", id)),
        Started::Refused { code, text } => return Err(Problem::conflict(code, text)),
    };
    let record =
        rounds::by_id(write.conn(), round).await?.ok_or_else(|| Problem::not_found("round", round))?;
    let stages = rounds::stages(write.conn(), round).await?;
    write.finish(StatusCode::CREATED, &RoundRecord::of(record, stages, None), &Consequences::default()).await
}
