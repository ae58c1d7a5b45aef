//! Signing in and out with a browser.

use super::access::{Access, Caller, Routes};
use super::client_address::ClientAddress;
use super::cookie;
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::ids::{ActorId, ProjectId};
use crate::people::sign_in::{SignedIn, sign_in};
use crate::people::{Powers, Role, password};
use crate::store::events::{self, NewEvent};
use crate::store::people::accounts::SignsInBy;
use crate::store::people::sessions::{self, Origin};
use crate::store::people::{accounts, grants, projects};
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(Access::Public, routes!(begin))
        .route(Access::SignedIn, routes!(get))
        .route(Access::SignedIn, routes!(end))
        .route(Access::SignedIn, routes!(end_everywhere))
        .route(Access::SignedIn, routes!(change_password))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    #[schema(format = Password)]
    password: String,
}

/// A role, and where it holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct GrantRecord {
    /// Absent: everywhere.
    pub project_id: Option<ProjectId>,
    /// Its name.
    pub project: Option<String>,
    pub role: Role,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct SessionUser {
    id: ActorId,
    name: String,
    display_name: String,
}

/// Who is signed in, what they may do, and for how long.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct SessionRecord {
    user: SessionUser,
    grants: Vec<GrantRecord>,
    /// What the roles open somewhere.
    scopes: Vec<Scope>,
    /// Send it as `x-csrf-token` with every request that changes something.
    csrf_token: String,
    expires_at: DateTime<Utc>,
    /// Moves on with use.
    idle_expires_at: DateTime<Utc>,
    /// Nothing else opens before the password is changed.
    must_change_password: bool,
    signs_in_by: SignsInBy,
    /// An account of the demo, whose password was printed.
    demo: bool,
}

/// Signs in: sets the session's cookie.
///
/// Attempts are counted by name and by address; too many of them have to wait.
#[utoipa::path(post, path = "/session", tag = "session", request_body = Credentials,
    responses((status = 200, body = SessionRecord),
        (status = 401, body = Problem, description = "`session.wrong_credentials`"),
        (status = 403, body = Problem, description = "`session.account_disabled`"),
        (status = 429, body = Problem, description = "`session.throttled`; `Retry-After` says when")))]
async fn begin(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(credentials): Json<Credentials>,
) -> Result<Response, Problem> {
    let origin = origin(address, &headers);
    let name = credentials.name.trim();
    match sign_in(&state.pool, name, credentials.password, &origin).await? {
        SignedIn::Done { actor, secret } => {
            tracing::info!(%actor, "signed in");
            let mut conn = state.pool.acquire().await?;
            let record = record(&mut conn, &secret).await?;
            let cookie = cookie::set(&secret, sessions::LONGEST, state.config.behind_proxy);
            Ok(([(header::SET_COOKIE, cookie)], Json(record)).into_response())
        }
        SignedIn::WrongCredentials => {
            let detail = "There is no such name, or this is not its password.";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "session.wrong_credentials", detail))
        }
        SignedIn::Disabled => {
            let detail = "This account is switched off. Ask an administrator.";
            Err(Problem::forbidden("session.account_disabled", detail))
        }
        SignedIn::Throttled { retry_after } => {
            let seconds = retry_after.as_secs().max(1);
            let detail = format!("Too many attempts failed. Try again in {seconds} s.");
            Err(Problem::retry_after(StatusCode::TOO_MANY_REQUESTS, "session.throttled", detail, seconds))
        }
    }
}

/// Where a browser signs in from.
pub(super) fn origin(address: String, headers: &HeaderMap) -> Origin {
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin { address, user_agent: user_agent.unwrap_or_default().to_owned() }
}

/// Who is signed in here.
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, body = SessionRecord)))]
async fn get(State(state): State<AppState>, headers: HeaderMap) -> Result<Json<SessionRecord>, Problem> {
    let secret = cookie::session(&headers).ok_or_else(no_session)?;
    let mut conn = state.pool.acquire().await?;
    Ok(Json(record(&mut conn, secret).await?))
}

/// Signs out here.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
async fn end(State(state): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    let session = caller.session().ok_or_else(no_session)?;
    let mut tx = Begun::on(&state.pool).await?;
    sessions::end(&mut tx, session).await?;
    events::append(&mut tx, &event("SignedOut", caller.id(), &caller, json!({}))).await?;
    tx.commit().await?;
    Ok(signed_out(&state))
}

/// Signs out in every browser.
#[utoipa::path(delete, path = "/session/everywhere", tag = "session", responses((status = 204)))]
async fn end_everywhere(State(state): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    let ended = sessions::end_all(&mut tx, caller.id(), None).await?;
    events::append(&mut tx, &event("SessionsEnded", caller.id(), &caller, json!({"ended": ended}))).await?;
    tx.commit().await?;
    Ok(signed_out(&state))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    #[schema(format = Password)]
    current: String,
    /// At least 12 characters, and not one of those that are tried first.
    #[schema(format = Password)]
    new: String,
}

/// Changes one's own password. Every other browser is signed out.
#[utoipa::path(post, path = "/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204), (status = 403, body = Problem, description = "`password.wrong`"),
        (status = 409, body = Problem, description = "`password.none`"),
        (status = 422, body = Problem, description = "`password.too_short`, `password.too_common`, `password.too_long`, `password.unchanged`")))]
async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    Json(change): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let session = caller.session().ok_or_else(no_session)?;
    let refuse = |refused: password::Refused| Problem::unprocessable(refused.code(), sentence(&refused));
    password::check(&change.new, &[caller.name()]).map_err(refuse)?;
    if change.new == change.current {
        return Err(Problem::unprocessable(
            "password.unchanged",
            "This is the password you have. Take another one.",
        ));
    }
    let known = {
        let mut conn = state.pool.acquire().await?;
        let account = accounts::by_id(&mut conn, caller.id()).await?;
        if account.is_some_and(|account| account.signs_in_by == SignsInBy::Provider) {
            let detail = "You sign on by the laboratory's identity provider, and have no password here.";
            return Err(Problem::conflict("password.none", detail));
        }
        accounts::password(&mut conn, caller.id()).await?
    };
    if !password::verify(change.current, known).await? {
        return Err(Problem::forbidden("password.wrong", "This is not your current password."));
    }
    let phc = password::hash(change.new).await?;
    let mut tx = Begun::on(&state.pool).await?;
    accounts::set_password(&mut tx, caller.id(), &phc, false).await?;
    sessions::end_all(&mut tx, caller.id(), Some(session)).await?;
    events::append(&mut tx, &event("PasswordChanged", caller.id(), &caller, json!({}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an error says, as a sentence.
pub(super) fn sentence(refused: &impl std::fmt::Display) -> String {
    let text = refused.to_string();
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

pub(super) fn event<'a>(
    kind: &'a str,
    user: ActorId,
    caller: &Caller,
    body: serde_json::Value,
) -> NewEvent<'a> {
    NewEvent {
        kind,
        subject: "user",
        subject_id: user.to_string(),
        campaign_id: None,
        actor: caller.id(),
        body,
    }
}

async fn record(conn: &mut PgConnection, secret: &str) -> Result<SessionRecord, Problem> {
    let session = sessions::authenticate(conn, secret).await?.ok_or_else(no_session)?;
    let account = accounts::by_id(conn, session.actor_id).await?.ok_or_else(no_session)?;
    let granted = grants::of(conn, session.actor_id).await?;
    Ok(SessionRecord {
        user: SessionUser { id: account.actor_id, name: account.name, display_name: account.display_name },
        scopes: Powers::of(&granted).scopes().into_iter().collect(),
        grants: with_names(conn, &granted).await?,
        csrf_token: cookie::csrf(secret),
        expires_at: session.expires_at,
        idle_expires_at: session.idle_expires_at.min(session.expires_at),
        must_change_password: account.must_change_password,
        signs_in_by: account.signs_in_by,
        demo: account.is_demo,
    })
}

/// Grants with the names of their projects.
pub(super) async fn with_names(
    conn: &mut PgConnection,
    granted: &[crate::people::Grant],
) -> Result<Vec<GrantRecord>, Problem> {
    let known: BTreeMap<ProjectId, String> =
        projects::list(conn, None).await?.into_iter().map(|project| (project.id, project.name)).collect();
    let named = |grant: &crate::people::Grant| GrantRecord {
        project_id: grant.project,
        project: grant.project.and_then(|id| known.get(&id).cloned()),
        role: grant.role,
    };
    Ok(granted.iter().map(named).collect())
}

fn signed_out(state: &AppState) -> Response {
    let cookie = cookie::clear(state.config.behind_proxy);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

fn no_session() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "session.missing", "You are signed out. Sign in again.")
}
