//! The record, by position; and live, as server-sent events.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Query};
use super::page::PageQuery;
use super::problem::Problem;
use super::state::AppState;
use crate::people::Visible;
use crate::store::events::{self, Look, Sealed};
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new().route(read, routes!(list)).route(read, routes!(live))
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct After {
    /// Position of the last event seen; from the beginning when absent.
    after: Option<i64>,
}

/// Events behind a position, in order. Positions have no gaps (but for events of projects that the caller may not
/// read); what has none yet is not shown yet.
#[utoipa::path(get, path = "/events", tag = "events", params(After, PageQuery), responses((status = 200, body = Vec<Sealed>)))]
async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(after): Query<After>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Vec<Sealed>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    Ok(Json(
        events::read_visible_after(&mut conn, &caller.visible(), after.after.unwrap_or(0), page.limit())
            .await?,
    ))
}

/// The same, live. Each carries its position as id: after a break the browser goes on from there.
#[utoipa::path(
    get,
    path = "/events/stream",
    tag = "events",
    params(After),
    responses((status = 200, content_type = "text/event-stream", description = "`data` is an event as in `/events`"))
)]
async fn live(
    State(state): State<AppState>,
    caller: Caller,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let position = resumed.or(after.after).unwrap_or(0);
    let news = state.wakeups.subscribe_events();
    let reader = Reader { state, visible: caller.visible(), news, position };
    let events = stream::unfold(reader, |mut reader| async move {
        let batch = reader.next_batch().await?;
        Some((stream::iter(batch), reader))
    });
    let lifetime = tokio::time::sleep(LONGEST_STREAM);
    Sse::new(events.flatten().take_until(lifetime)).keep_alive(KeepAlive::default())
}

const BATCH: i64 = 200;
/// Positions that one look goes over at most.
const REACH: i64 = 20_000;
/// Wake-ups may be lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Then the client connects anew, with its token checked again.
const LONGEST_STREAM: Duration = Duration::from_secs(15 * 60);

struct Reader {
    state: AppState,
    /// As it was when the stream began; a stream lives a few minutes.
    visible: Visible,
    news: watch::Receiver<()>,
    /// Everything up to here was shown, or is not for this reader.
    position: i64,
}

impl Reader {
    /// The next events as soon as there are some, and how far that is; `None` ends the stream, and the client comes back.
    async fn next_batch(&mut self) -> Option<Vec<Result<Event, Infallible>>> {
        loop {
            self.news.mark_unchanged();
            let look =
                self.look().await.inspect_err(|error| tracing::warn!(%error, "a live stream ends")).ok()?;
            if look.seen > self.position {
                self.position = look.seen;
                return Some(frames(&look).into_iter().map(Ok).collect());
            }
            tokio::select! {
                _ = self.news.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    async fn look(&self) -> crate::store::Result<Look> {
        let mut conn = self.state.pool.acquire().await?;
        events::look(&mut conn, &self.visible, self.position, REACH, BATCH).await
    }
}

/// Its events; then, where more was seen than is shown, the position alone: an id without data is no event, and the client
/// remembers it.
fn frames(look: &Look) -> Vec<Event> {
    let mut frames: Vec<Event> = look.events.iter().filter_map(as_event).collect();
    if look.events.last().is_none_or(|last| last.position < look.seen) {
        frames.push(Event::default().id(look.seen.to_string()));
    }
    frames
}

fn as_event(sealed: &Sealed) -> Option<Event> {
    Event::default().id(sealed.position.to_string()).event(&sealed.kind).json_data(sealed).ok()
}
