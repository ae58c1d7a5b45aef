//! `GET /channels`, `POST /channels`, `PUT` and `DELETE /channels/{id}`.

use super::wish::{ChannelAnswer, ChannelChange, NewChannel};
use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::unfinished::Begun;
use crate::channels::Kind;
use crate::ids::ChannelId;
use crate::store::channels::{self, Channel, Wishes};
use crate::store::deliveries;
use crate::store::events::{self, NewEvent};
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// Channels of an installation.
const MOST: u32 = 50;

/// Every channel, without its secret.
#[utoipa::path(get, path = "/channels", tag = "channels", params(PageQuery),
    responses((status = 200, body = Page<Channel>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Channel>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let found = channels::list(&mut conn, page.after()?, page.limit()).await?;
    Ok(Json(Page::new(found, &page, |channel| channel.id)))
}

/// Adds a channel. It takes no Idempotency-Key: a secret that is made is kept nowhere in the clear, also not
/// for a repeat; the name, which is unique, tells whether it is there.
#[utoipa::path(post, path = "/channels", tag = "channels", request_body = NewChannel,
    responses((status = 201, body = ChannelAnswer), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewChannel>,
) -> Result<(StatusCode, Json<ChannelAnswer>), Problem> {
    let id = ChannelId::fresh();
    let wishes = new.wishes()?;
    let (target, secret) = new.target(id, &state.config.channel_key, state.config.webhook_rules)?;
    let mut tx = Begun::on(&state.pool).await?;
    if channels::total(&mut tx).await? >= MOST {
        let detail =
            format!("There are {MOST} channels already: remove one first (`loopwright channel remove`).");
        return Err(Problem::conflict("channel.too_many", detail));
    }
    channels::insert(&mut tx, id, new.kind, &target, &wishes, caller.id()).await.map_err(taken)?;
    record(&mut tx, "ChannelAdded", id, &caller, body(&wishes, Some(recorded(new.kind, &target.shown))))
        .await?;
    let channel = channels::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(ChannelAnswer { channel, secret })))
}

/// Changes a channel, or renews its secret. A disabled one is told nothing, and forgets what waited for it.
#[utoipa::path(put, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    request_body = ChannelChange,
    responses((status = 200, body = ChannelAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(change): Json<ChannelChange>,
) -> Result<Json<ChannelAnswer>, Problem> {
    let wishes = change.wishes()?;
    let mut tx = Begun::on(&state.pool).await?;
    let before = channels::get(&mut tx, id).await?;
    let sealed = channels::sealed(&mut tx, id).await?;
    let config = &state.config;
    let (target, secret) = change.target(&before, sealed, &config.channel_key, config.webhook_rules)?;
    channels::update(&mut tx, id, target.as_ref(), &wishes).await.map_err(taken)?;
    if !wishes.enabled {
        deliveries::cancel_for_channel(&mut tx, id).await?;
    }
    let target = target.as_ref().map(|target| recorded(before.kind, &target.shown));
    let mut body = body(&wishes, target);
    body["secret_changed"] = json!(secret.is_some() || change.secret.is_some());
    record(&mut tx, "ChannelChanged", id, &caller, body).await?;
    let channel = channels::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Json(ChannelAnswer { channel, secret }))
}

/// Removes a channel; its secret is forgotten, its deliveries stay on record.
#[utoipa::path(delete, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<StatusCode, Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    channels::remove(&mut tx, id).await?;
    deliveries::cancel_for_channel(&mut tx, id).await?;
    record(&mut tx, "ChannelRemoved", id, &caller, json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the record, which everybody reads, says of a target: of a URL the place alone, since path and query may hold
/// what only the receiver is to know.
fn recorded(kind: Kind, shown: &str) -> String {
    match (kind, reqwest::Url::parse(shown)) {
        (Kind::Webhook, Ok(url)) => format!("{}/…", url.origin().ascii_serialization()),
        _ => shown.to_owned(),
    }
}

fn body(wishes: &Wishes, target: Option<String>) -> Value {
    json!({
        "name": wishes.name, "target": target, "topics": wishes.interest.topics,
        "minimum_severity": wishes.interest.minimum_severity, "project_id": wishes.interest.project,
        "escalation_level": wishes.interest.escalation_level, "enabled": wishes.enabled,
    })
}

fn taken(error: crate::store::Error) -> Problem {
    match error.constraint() {
        Some("channel_name") => {
            Problem::conflict("channel.name_taken", "Another channel has this name: take a different one.")
        }
        Some("channel_project_id_fkey") => {
            Problem::unprocessable("channel.project_unknown", "There is no project with this id.")
        }
        _ => error.into(),
    }
}

pub(super) async fn record(
    conn: &mut sqlx::PgConnection,
    kind: &'static str,
    id: ChannelId,
    caller: &Caller,
    body: Value,
) -> Result<(), Problem> {
    let event = NewEvent {
        kind,
        subject: "channel",
        subject_id: id.to_string(),
        campaign_id: None,
        actor: caller.id(),
        body,
    };
    events::append(conn, &event).await?;
    Ok(())
}
