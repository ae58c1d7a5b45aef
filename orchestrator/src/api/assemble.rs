//! All routes into one router, and its description.

use super::access::{Routes, Rule};
use super::problem::Problem;
use super::state::AppState;
use super::{health, metrics, unfinished, versioned};
use axum::Extension;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, StatusCode};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

const PREFIX: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Loopwright",
        description = "Campaigns, rounds, approvals, inventory and the queue that robots, learners and people \
                       pull from. Errors are RFC 9457 problems with a stable `code`.",
    ),
    components(schemas(Problem))
)]
struct Description;

/// The whole HTTP door.
pub fn router(state: AppState) -> Router {
    let request_id = HeaderName::from_static("x-request-id");
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(PropagateRequestIdLayer::new(request_id))
        .layer(CompressionLayer::new().compress_when(not_compressed_already()))
        .layer(Extension(state.clone()))
        .layer(axum::middleware::from_fn(unfinished::roll_back))
        .layer(DefaultBodyLimit::max(state.config.body_limit_bytes));
    let (router, _) = assembled().0.split_for_parts();
    router
        .fallback(super::app::serve)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(layers)
        .with_state(state)
}

/// The description of every route, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut description = assembled().0.into_openapi();
    let bearer = SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).build());
    let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
        super::cookie::NAME,
        "Set by `POST /session`. Whatever changes something also sends `x-csrf-token`.",
    )));
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("token", bearer);
    components.add_security_scheme("session", session);
    super::describe::complete(&mut description);
    description
}

/// What opens each route.
pub fn rules() -> Vec<Rule> {
    assembled().1
}

fn assembled() -> (OpenApiRouter<AppState>, Vec<Rule>) {
    let versioned: Routes = versioned();
    let public = health::routes().merge(metrics::routes());
    let mut rules = public.rules;
    rules.extend(
        versioned.rules.into_iter().map(|rule| Rule { path: format!("{PREFIX}{}", rule.path), ..rule }),
    );
    let router = OpenApiRouter::with_openapi(Description::openapi())
        .merge(public.router)
        .nest(PREFIX, versioned.router.fallback(unknown));
    (router, rules)
}

fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    // The path without its query: a query may carry what does not belong in a log.
    // Who asks and what about, the gate fills in.
    tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = id,
        actor = tracing::field::Empty,
        actor_id = tracing::field::Empty,
        campaign_id = tracing::field::Empty,
        round_id = tracing::field::Empty,
        batch_id = tracing::field::Empty,
        plate_id = tracing::field::Empty,
        job_id = tracing::field::Empty,
    )
}

async fn unknown(request: Request) -> Problem {
    let detail =
        format!("There is no route {}. `{PREFIX}/openapi.json` lists them all.", request.uri().path());
    Problem::new(StatusCode::NOT_FOUND, "route.unknown", detail)
}

async fn method_not_allowed(request: Request) -> Problem {
    let detail = format!("{} does not take {}.", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "route.method_not_allowed", detail)
}

/// Archives and column files are packed as they are.
fn not_compressed_already() -> impl Predicate {
    DefaultPredicate::new()
        .and(NotForContentType::const_new("application/zip"))
        .and(NotForContentType::const_new("application/vnd.apache.parquet"))
}
