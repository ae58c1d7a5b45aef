//! Who may use which route: declared where the route is registered, checked before its handler runs.

use super::problem::Problem;
use super::state::AppState;
use crate::ids::ActorId;
use crate::store::tokens::{self, Actor, Scope};
use ::jobs::client::EPOCH_HEADER;
use axum::Extension;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{PathItem, SecurityRequirement};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

/// What opens a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// A token with at least one of these scopes.
    AnyOf(&'static [Scope]),
}

/// One line of the table of routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub method: Method,
    /// With `{parameters}`, relative to where the routes are mounted.
    pub path: String,
    pub access: Access,
}

/// Routes with what opens them.
#[derive(Default)]
pub struct Routes {
    pub(super) router: OpenApiRouter<AppState>,
    pub(super) rules: Vec<Rule>,
}

impl Routes {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the handlers of one path: `.route(Access::AnyOf(&[Scope::Read]), routes!(get_job))`. Handlers of one
    /// path with different scopes are added one by one.
    pub fn route(self, access: Access, handlers: UtoipaMethodRouter<AppState>) -> Self {
        self.add(access, handlers, |state| state.config.request_timeout)
    }

    /// The same for handlers that take an upload.
    pub fn slow_route(self, access: Access, handlers: UtoipaMethodRouter<AppState>) -> Self {
        self.add(access, handlers, |state| state.config.upload_timeout)
    }

    pub fn merge(mut self, other: Routes) -> Self {
        self.rules.extend(other.rules);
        Self { router: self.router.merge(other.router), rules: self.rules }
    }

    fn add(
        mut self,
        access: Access,
        mut handlers: UtoipaMethodRouter<AppState>,
        timeout: fn(&AppState) -> Duration,
    ) -> Self {
        for (path, item) in &mut handlers.1.paths {
            for (method, operation) in operations(item) {
                self.rules.push(Rule { method, path: path.clone(), access });
                describe(operation, access);
            }
        }
        let gate =
            from_fn(move |Extension(state): Extension<AppState>, request: Request, next: Next| async move {
                let limit = timeout(&state);
                let answer = tokio::time::timeout(limit, guard(state, access, request, next)).await;
                answer.unwrap_or_else(|_| {
                    let detail = format!("The request took longer than {} s. Try again.", limit.as_secs());
                    Problem::try_again("request.timed_out", detail).into_response()
                })
            });
        let handlers = handlers.map(|methods| methods.route_layer(gate));
        Self { router: self.router.routes(handlers), rules: self.rules }
    }
}

pub(super) fn operations(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::HEAD, &mut item.head),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
    .collect()
}

fn describe(operation: &mut Operation, access: Access) {
    let requirements = match access {
        Access::Public => vec![SecurityRequirement::default()],
        // Alternatives: one requirement each.
        Access::AnyOf(scopes) => {
            scopes.iter().map(|scope| SecurityRequirement::new("token", [scope.as_str()])).collect()
        }
    };
    operation.security = Some(requirements);
}

async fn guard(state: AppState, access: Access, mut request: Request, next: Next) -> Response {
    let Access::AnyOf(scopes) = access else { return next.run(request).await };
    let (caller, epoch) = match authorize(&state, request.headers(), scopes).await {
        Ok(authorized) => authorized,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    if let Ok(epoch) = HeaderValue::from_str(&epoch) {
        response.headers_mut().insert(HeaderName::from_static(EPOCH_HEADER), epoch);
    }
    response
}

async fn authorize(
    state: &AppState,
    headers: &HeaderMap,
    scopes: &[Scope],
) -> Result<(Caller, String), Problem> {
    let Some(secret) = bearer(headers) else {
        let detail = "Send a token: `Authorization: Bearer lw_...`. `loopwright token create` makes one.";
        return Err(Problem::unauthenticated("token.missing", detail));
    };
    let mut conn = state.pool.acquire().await?;
    let Some(actor) = tokens::authenticate(&mut conn, secret).await? else {
        let detail = "The token is unknown, revoked or expired. Ask an administrator for a new one.";
        return Err(Problem::unauthenticated("token.invalid", detail));
    };
    if !scopes.iter().any(|scope| actor.scopes.contains(scope)) {
        let wanted: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let detail = format!(
            "The token needs the scope {}. Ask an administrator for one that has it.",
            wanted.join(" or ")
        );
        return Err(Problem::forbidden("token.scope_missing", detail));
    }
    Ok((Caller { actor }, state.epoch(&mut conn).await?))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Whoever sent the request; an extractor for handlers of routes that are not public.
#[derive(Clone, Debug)]
pub struct Caller {
    pub actor: Actor,
}

impl Caller {
    pub fn id(&self) -> ActorId {
        self.actor.id
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.actor.scopes.contains(&scope)
    }

    /// For what only the body tells: which queue, which kind of change.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        let detail = format!("The token needs the scope {scope}. Ask an administrator for one that has it.");
        Err(Problem::forbidden("token.scope_missing", detail))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| {
            Problem::unauthenticated("token.missing", "This route is public and knows no caller.")
        })
    }
}
