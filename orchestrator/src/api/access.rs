//! Who may use which route: declared where the route is registered, checked (by [`super::gate`]) before its
//! handler runs.

use super::gate;
use super::problem::Problem;
use super::state::AppState;
use crate::metrics::counted;
use crate::store::people::projects::Subject;
use crate::store::tokens::Scope;
use axum::Extension;
use axum::extract::{RawPathParams, Request};
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use std::time::{Duration, Instant};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{PathItem, SecurityRequirement};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

pub use super::caller::Caller;

/// What opens a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// Whoever is known, by token or session; the handler looks only at what is theirs.
    SignedIn,
    /// A caller with at least one of these scopes, where [`Reach`] says.
    AnyOf(&'static [Scope]),
}

/// Where a caller must hold the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the project of what `{id}` names. Who holds nothing there is told that there is no such thing.
    Of(Subject),
    /// In any project: lists show only what the caller may read, and creations check the project they name.
    Anywhere,
    /// In all of them: for what belongs to the whole installation.
    Everywhere,
}

/// Writes to something that belongs to no project yet: the handler checks the project in the body, or the content
/// is its own name.
const ANYWHERE: &[(Method, &str)] = &[
    (Method::POST, "/campaigns"),
    (Method::POST, "/campaigns/check"),
    (Method::PUT, "/blobs/{sha256}"),
    (Method::POST, "/uploads"),
    (Method::PATCH, "/uploads/{id}"),
];

/// What belongs to the whole installation also when it is only read: who sees the ways out sees what is told of every
/// project.
const EVERYWHERE: &[&str] = &["/users", "/channels", "/deliveries", "/audit", "/metrics"];

const SUBJECTS: &[(&str, Subject)] = &[
    ("/campaigns/{id}", Subject::Campaign),
    ("/rounds/{id}", Subject::Round),
    ("/batches/{id}", Subject::Batch),
    ("/plates/{id}", Subject::Plate),
    ("/jobs/{id}", Subject::Job),
    ("/tasks/{id}", Subject::Task),
    ("/models/{id}", Subject::Model),
    ("/notifications/{id}", Subject::Notification),
];

impl Reach {
    /// Derived from method and path, so that no route can forget it.
    pub fn derive(method: &Method, path: &str) -> Self {
        let under =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if let Some((_, subject)) = SUBJECTS.iter().find(|(root, _)| under(root)) {
            return Reach::Of(*subject);
        }
        if EVERYWHERE.iter().any(|root| under(root)) {
            return Reach::Everywhere;
        }
        let may_be_anywhere = *method == Method::GET
            || *method == Method::HEAD
            || ANYWHERE.iter().any(|(m, p)| m == method && *p == path);
        if may_be_anywhere { Reach::Anywhere } else { Reach::Everywhere }
    }
}

/// One line of the table of routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub method: Method,
    /// With `{parameters}`, relative to where the routes are mounted.
    pub path: String,
    pub access: Access,
    pub reach: Reach,
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
        let mut added = Vec::new();
        for (path, item) in &mut handlers.1.paths {
            for (method, operation) in operations(item) {
                let reach = Reach::derive(&method, path);
                added.push(Rule { method, path: path.clone(), access, reach });
                describe(operation, access);
            }
        }
        self.rules.extend(added.iter().cloned());
        let gate = from_fn(
            move |Extension(state): Extension<AppState>,
                  params: RawPathParams,
                  request: Request,
                  next: Next| {
                let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
                let rule = added.iter().find(|rule| rule.method == *method).cloned();
                async move {
                    let limit = timeout(&state);
                    let began = Instant::now();
                    let method = request.method().clone();
                    let route = rule.as_ref().map(|rule| rule.path.clone());
                    // In a box: who waits for work keeps one state of it, and not a copy inside each future around it.
                    let guarded = Box::pin(gate::guard(state, rule, params, request, next));
                    let answer = tokio::time::timeout(limit, guarded).await;
                    let answer = answer.unwrap_or_else(|_| {
                        let detail =
                            format!("The request took longer than {} s. Try again.", limit.as_secs());
                        Problem::try_again("request.timed_out", detail).into_response()
                    });
                    if let Some(route) = route {
                        let status = answer.status().as_u16();
                        counted().request(method.as_str(), &route, status, began.elapsed());
                    }
                    answer
                }
            },
        );
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
    // Alternatives: one requirement each. A session stands for the scopes of its owner's roles.
    let either = |scopes: Vec<&str>| {
        let session = SecurityRequirement::new("session", Vec::<String>::new());
        let token = |scope: &&str| SecurityRequirement::new("token", [*scope]);
        scopes.iter().map(token).chain([session]).collect()
    };
    let requirements = match access {
        Access::Public => vec![SecurityRequirement::default()],
        Access::SignedIn => vec![
            SecurityRequirement::new("token", Vec::<String>::new()),
            SecurityRequirement::new("session", Vec::<String>::new()),
        ],
        Access::AnyOf(scopes) => either(scopes.iter().map(|scope| scope.as_str()).collect()),
    };
    operation.security = Some(requirements);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_follows_from_the_path() {
        let reach = |method: Method, path: &str| Reach::derive(&method, path);
        assert_eq!(reach(Method::GET, "/campaigns/{id}"), Reach::Of(Subject::Campaign));
        assert_eq!(reach(Method::POST, "/batches/{id}/approve"), Reach::Of(Subject::Batch));
        assert_eq!(reach(Method::GET, "/campaigns"), Reach::Anywhere);
        assert_eq!(reach(Method::POST, "/campaigns"), Reach::Anywhere);
        assert_eq!(reach(Method::PUT, "/instruments/{name}"), Reach::Everywhere);
        assert_eq!(reach(Method::POST, "/leases"), Reach::Everywhere);
        for path in ["/users", "/channels", "/deliveries", "/deliveries/{id}"] {
            assert_eq!(reach(Method::GET, path), Reach::Everywhere, "{path}");
        }
    }
}
