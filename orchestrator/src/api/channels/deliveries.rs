//! `POST /channels/{id}/test`, `GET /deliveries..`, `POST /deliveries/{id}/redeliver`.

use super::manage::record;
use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::unfinished::Begun;
use crate::ids::{ChannelId, DeliveryId};
use crate::notifications::delivery::Word;
use crate::store::channels;
use crate::store::deliveries::{self, Attempt, Delivery};
use crate::store::moved::Moved;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Tells the channel a test. It goes the way of every delivery: look at the one in the answer for its end.
#[utoipa::path(post, path = "/channels/{id}/test", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 202, description = "on its way", body = Delivery), (status = 404, body = Problem)))]
pub(super) async fn test(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    channels::get(&mut tx, id).await?;
    let delivery = deliveries::make(&mut tx, id, None, 0, Duration::ZERO).await?;
    record(&mut tx, "ChannelTested", id, &caller, json!({"delivery_id": delivery})).await?;
    let delivery = deliveries::get(&mut tx, delivery).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only of this channel.
    channel: Option<ChannelId>,
    /// Only in this state; `dead` are those that were given up.
    #[param(inline)]
    state: Option<Word>,
}

/// Deliveries, newest first.
#[utoipa::path(get, path = "/deliveries", tag = "channels", params(Wanted, PageQuery),
    responses((status = 200, body = Page<Delivery>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let found =
        deliveries::list(&mut conn, wanted.channel, wanted.state, page.after()?, page.limit()).await?;
    Ok(Json(Page::new(found, &page, |delivery| delivery.id)))
}

/// A delivery with every attempt.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct DeliveryRecord {
    #[serde(flatten)]
    delivery: Delivery,
    history: Vec<Attempt>,
}

/// One delivery with every attempt.
#[utoipa::path(get, path = "/deliveries/{id}", tag = "channels", params(("id" = DeliveryId, Path)),
    responses((status = 200, body = DeliveryRecord), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<DeliveryId>,
) -> Result<Json<DeliveryRecord>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let delivery = deliveries::get(&mut conn, id).await?;
    let history = deliveries::attempts(&mut conn, id).await?;
    Ok(Json(DeliveryRecord { delivery, history }))
}

/// Orders a delivery that ended (given up, or delivered and lost by the receiver) again, under the same id.
#[utoipa::path(post, path = "/deliveries/{id}/redeliver", tag = "channels", params(("id" = DeliveryId, Path)),
    responses((status = 202, description = "on its way", body = Delivery), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn redeliver(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<DeliveryId>,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    match deliveries::order_again(&mut tx, id).await? {
        Moved::Done => {}
        Moved::Rejected(rejected) => {
            let state = rejected.state.word().as_str();
            let detail =
                format!("The delivery is {state}: only one that was delivered or given up is ordered again.");
            return Err(Problem::conflict("delivery.not_ended", detail));
        }
        Moved::ChangedMeanwhile => {
            let detail = "Its channel was removed or is disabled, or somebody was first. Look at it again.";
            return Err(Problem::conflict("delivery.changed", detail));
        }
    }
    let delivery = deliveries::get(&mut tx, id).await?;
    let body = json!({"delivery_id": id});
    record(&mut tx, "DeliveryOrderedAgain", delivery.channel_id, &caller, body).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}
