//! `POST /plates/{id}/decide`

use super::read::PlateLine;
use crate::api::access::Caller;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write, given};
use crate::ids::PlateId;
use crate::plates::decide::{self, Decided};
use crate::store::jobs::Consequences;
use crate::store::plates::{self, Decision};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to do with a plate that failed QC, or that was lost too often.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    pub decision: Decision,
    pub reason: String,
}

/// Decides on a quarantined or lost plate.
///
/// `release` lets its observations train all the same, `repeat` makes it again on a new plate, `give_up` leaves its
/// experiments unmeasured. Deciding the same again changes nothing.
#[utoipa::path(post, path = "/plates/{id}/decide", tag = "plates", request_body = Decide,
    params(("id" = PlateId, Path), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = PlateLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`plate.nothing_to_decide`"), (status = 422, body = Problem)))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<PlateId>,
    Json(request): Json<Decide>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let mut write =
        match Write::begin(&state, &caller, key, "POST /plates/{id}/decide", &(id, &request)).await? {
            Asking::Replay(answer) => return Ok(answer),
            Asking::Fresh(write) => write,
        };
    let actor = write.actor();
    match decide::decide(write.conn(), id, request.decision, reason, actor).await? {
        Decided::Done | Decided::AlreadyDone => {}
        Decided::NotFound => return Err(Problem::not_found("plate", id)),
        Decided::Refused { state } => {
            let detail = format!(
                "The plate is {}: `{}` is not to be decided about it now. Only quarantined plates are released; \
                 quarantined and lost ones are repeated or given up, while their round is live.",
                state.as_str(),
                request.decision.as_str()
            );
            return Err(Problem::conflict("plate.nothing_to_decide", detail));
        }
    }
    let plate = plates::by_id(write.conn(), id).await?.ok_or_else(|| Problem::not_found("plate", id))?;
    write.finish(StatusCode::OK, &PlateLine::from(plate), &Consequences::default()).await
}
