//! What Prometheus scrapes, outside `/api/v1`: with a token, or without one on a listener of its own
//! (`serve --metrics-listen`).

use super::access::{Access, Routes};
use super::state::AppState;
use crate::metrics::{CONTENT_TYPE, Scraper};
use crate::store::tokens::Scope;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new().route(Access::AnyOf(&[Scope::Metrics, Scope::Read]), routes!(scrape))
}

/// Metrics in Prometheus's text format (`docs/metrics.md`).
#[utoipa::path(get, path = "/metrics", tag = "service",
    responses((status = 200, content_type = "text/plain", body = String)))]
async fn scrape(State(state): State<AppState>) -> Response {
    answer(&state.scraper).await
}

/// The same for whoever reaches the listener.
pub fn scrape_router(scraper: Scraper) -> Router {
    let scrape = async |State(scraper): State<Scraper>| answer(&scraper).await;
    Router::new().route("/metrics", axum::routing::get(scrape)).with_state(scraper)
}

async fn answer(scraper: &Scraper) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], scraper.text().await).into_response()
}
