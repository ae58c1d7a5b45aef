//! Before any handler: who asks, whether a browser really meant it, and whether they may, there.

use super::access::{Access, Reach, Rule};
use super::caller::{Caller, Credential, lacks};
use super::client_address::ClientAddress;
use super::cookie;
use super::leases::WORK;
use super::problem::Problem;
use super::state::AppState;
use crate::people::Powers;
use crate::store::access;
use crate::store::events::{self, Origin};
use crate::store::people::projects::{self, Home};
use crate::store::people::{grants, sessions};
use crate::store::tokens::{self, Scope};
use ::jobs::client::EPOCH_HEADER;
use axum::extract::{RawPathParams, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// The header that a browser's script must set; a form of another site cannot.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// What [`super::access::Routes`] puts before every handler. `rule`: of the method that was asked; `None`: the route
/// does not take it, and says so itself.
pub(super) async fn guard(
    state: AppState,
    rule: Option<Rule>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(rule) = rule.filter(|rule| rule.access != Access::Public) else {
        let origin = origin(&state, &request, None);
        return events::from(origin, next.run(request)).await;
    };
    let id = params.iter().next().and_then(|(_, value)| Uuid::parse_str(value).ok());
    // In a box, which is gone before the handler begins.
    let authorized = Box::pin(authorize(&state, &rule, id, request.method(), request.headers())).await;
    let (caller, epoch) = match authorized {
        Ok(authorized) => authorized,
        Err(problem) => return problem.into_response(),
    };
    name_in_log(&caller, rule.reach, id);
    let origin = origin(&state, &request, Some(&caller.credential));
    let may_change_powers = !request.method().is_safe() && !is_of_workers(&rule);
    request.extensions_mut().insert(caller);
    let mut response = events::from(origin, next.run(request)).await;
    if may_change_powers {
        state.known.forget_callers();
    }
    let epoch = state.last_epoch().unwrap_or(epoch);
    if let Ok(epoch) = HeaderValue::from_str(&epoch) {
        response.headers_mut().insert(HeaderName::from_static(EPOCH_HEADER), epoch);
    }
    response
}

/// Every line that the request writes says who asked, and what about.
fn name_in_log(caller: &Caller, reach: Reach, id: Option<Uuid>) {
    let span = tracing::Span::current();
    span.record("actor", caller.name()).record("actor_id", tracing::field::display(caller.id()));
    if let (Reach::Of(subject), Some(id)) = (reach, id) {
        // A subject without such a field is not recorded.
        span.record(format!("{}_id", subject.as_str()).as_str(), tracing::field::display(id));
    }
}

/// From where it was asked, for the record.
fn origin(state: &AppState, request: &Request, credential: Option<&Credential>) -> Origin {
    let headers = request.headers();
    let header = |name: &str, limit| {
        let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Some(events::cut(text, limit)).filter(|text| !text.is_empty())
    };
    let ClientAddress(address) = ClientAddress::of(state, headers, request.extensions());
    Origin::Http {
        address: Some(events::cut(&address, 100)).filter(|address| !address.is_empty()),
        request_id: header("x-request-id", 100),
        user_agent: header("user-agent", 200),
        token_id: credential.and_then(Credential::token),
        session_id: credential.and_then(Credential::session),
    }
}

async fn authorize(
    state: &AppState,
    rule: &Rule,
    id: Option<Uuid>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(Caller, String), Problem> {
    if let Some(known) = known(state, rule, headers) {
        return Ok(known);
    }
    let mut under = None;
    if is_of_workers(rule) {
        under = Some(Box::pin(access_now(state)).await?);
        if let Some(known) = known(state, rule, headers) {
            return Ok(known);
        }
    }
    let mut conn = state.pool.acquire().await?;
    let caller = match (bearer(headers), cookie::session(headers)) {
        (Some(secret), _) => {
            let (caller, expires_in) = by_token(&mut conn, secret).await?;
            if let Some(under) = under {
                state.known.found(secret, &caller, under, expires_in);
            }
            caller
        }
        (None, Some(secret)) => by_session(&mut conn, rule, secret, method, headers).await?,
        (None, None) => {
            let detail = "Sign in, or send a token: `Authorization: Bearer lw_...`. `loopwright token create` makes one.";
            return Err(Problem::unauthenticated("token.missing", detail));
        }
    };
    if let Access::AnyOf(scopes) = rule.access {
        permit(&mut conn, &caller, scopes, rule.reach, id).await?;
    }
    let epoch = state.epoch(&mut conn).await?;
    Ok((caller, epoch))
}

/// As it is, read by this request or a moment ago by another.
async fn access_now(state: &AppState) -> Result<access::Access, Problem> {
    let _one = state.known.looks().await;
    if let Some(access) = state.known.access_just_read() {
        return Ok(access);
    }
    let access = access::read(&mut *state.pool.acquire().await?).await?;
    state.saw_epoch(&access.epoch);
    state.known.saw_access(&access);
    Ok(access)
}

/// What workers ask for again and again: work, and the files that go with it. Nothing of it changes anybody's powers. On
/// these routes whoever comes with a token is remembered; on all others everybody is looked up each time.
fn is_of_workers(rule: &Rule) -> bool {
    let is_under =
        |root| rule.path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    rule.access == Access::AnyOf(WORK) || ["/blobs", "/uploads"].into_iter().any(is_under)
}

/// A worker that came with the same token before, since when nobody's powers have changed; with the life of the database.
fn known(state: &AppState, rule: &Rule, headers: &HeaderMap) -> Option<(Caller, String)> {
    let Access::AnyOf(scopes) = rule.access else { return None };
    let (caller, epoch) = state.known.caller(bearer(headers).filter(|_| is_of_workers(rule))?)?;
    let permitted = scopes.iter().any(|scope| caller.powers.have_everywhere(*scope));
    Some((caller, epoch)).filter(|_| permitted)
}

/// Whose token it is, and for how long.
async fn by_token(conn: &mut PgConnection, secret: &str) -> Result<(Caller, Duration), Problem> {
    let actor = tokens::authenticate(conn, secret).await?.ok_or_else(|| {
        let detail = "The token is unknown, revoked or expired. Ask an administrator for a new one.";
        Problem::unauthenticated("token.invalid", detail)
    })?;
    let credential = Credential::Token(actor.token_id);
    Ok((Caller { id: actor.id, name: actor.name, credential, powers: actor.powers }, actor.expires_in))
}

async fn by_session(
    conn: &mut PgConnection,
    rule: &Rule,
    secret: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let session = sessions::authenticate(conn, secret).await?.ok_or_else(|| {
        Problem::unauthenticated(
            "session.missing",
            "You are signed out, or were for too long. Sign in again.",
        )
    })?;
    if !method.is_safe()
        && headers.get(CSRF_HEADER).map(HeaderValue::as_bytes) != Some(cookie::csrf(secret).as_bytes())
    {
        let detail = "The request did not come from Loopwright's own page. Reload the page and try again.";
        return Err(Problem::forbidden("session.csrf", detail));
    }
    // Until the password that somebody else knows is changed, nothing else opens: least of all a token, which would
    // outlive it.
    if session.must_change_password && !is_of_session(&rule.path) {
        let detail = "Choose a password of your own first.";
        return Err(Problem::forbidden("session.password_change_needed", detail));
    }
    let powers = Powers::of(&grants::of(conn, session.actor_id).await?);
    let credential = Credential::Session(session.id);
    Ok(Caller { id: session.actor_id, name: session.name, credential, powers })
}

/// Looking at one's session, ending it, and changing the password.
fn is_of_session(path: &str) -> bool {
    path.strip_prefix("/session").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether `caller` holds one of `scopes` where `reach` says.
async fn permit(
    conn: &mut PgConnection,
    caller: &Caller,
    scopes: &[Scope],
    reach: Reach,
    id: Option<Uuid>,
) -> Result<(), Problem> {
    let powers = &caller.powers;
    let everywhere = || scopes.iter().any(|scope| powers.have_everywhere(*scope));
    let anywhere = || scopes.iter().any(|scope| powers.have_anywhere(*scope));
    if everywhere() {
        return Ok(());
    }
    match (reach, id) {
        (Reach::Of(subject), Some(id)) if !powers.are_the_same_everywhere() => {
            match projects::home(conn, subject, id).await? {
                Home::In(project) if powers.reach(project) => caller.require_any_in(project, scopes),
                Home::Nowhere | Home::In(_) => Err(Problem::not_found(subject.as_str(), id)),
                Home::Everywhere => Err(lacks(scopes)),
            }
        }
        // What is no id is refused by the handler, in its own words.
        (Reach::Anywhere | Reach::Of(_), _) if anywhere() => Ok(()),
        (Reach::Everywhere, _) if anywhere() => {
            let detail = "This belongs to the whole installation: it needs the role everywhere, and yours holds in \
                          some projects only. Ask an administrator.";
            Err(Problem::new(StatusCode::FORBIDDEN, "access.everywhere_needed", detail))
        }
        _ => Err(lacks(scopes)),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}
