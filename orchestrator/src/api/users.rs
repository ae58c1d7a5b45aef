//! Users: made, listed, given roles, switched off. Passwords come once and leave no trace.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path, Query};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::session::{GrantRecord, event, sentence, with_names};
use super::state::AppState;
use super::unfinished::Begun;
use crate::ids::{ActorId, ProjectId};
use crate::people::manage::{self, NewUser, Refused};
use crate::people::{Grant, Role, sign_on};
use crate::store::events;
use crate::store::people::accounts::{self, Account, SignsInBy, State as AccountState};
use crate::store::people::{grants, sessions};
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let admin = Access::AnyOf(&[Scope::Admin]);
    Routes::new()
        .route(admin, routes!(list))
        .route(admin, routes!(create))
        .route(admin, routes!(grant))
        .route(admin, routes!(disable))
        .route(admin, routes!(enable))
        .route(admin, routes!(reset_password))
        .route(admin, routes!(prepare_sign_on))
        .route(admin, routes!(sign_out))
}

/// Somebody who may sign in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct UserRecord {
    id: ActorId,
    name: String,
    display_name: String,
    email: Option<String>,
    state: AccountState,
    signs_in_by: SignsInBy,
    /// Somebody at the identity provider is known to be its owner, since the first sign-on.
    linked: bool,
    grants: Vec<GrantRecord>,
    /// The password is still one that somebody else knows.
    must_change_password: bool,
    demo: bool,
    created_at: DateTime<Utc>,
    last_sign_in_at: Option<DateTime<Utc>>,
}

/// A role to give.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantWanted {
    /// Absent: everywhere.
    #[serde(default)]
    project_id: Option<ProjectId>,
    role: Role,
}

impl From<GrantWanted> for Grant {
    fn from(wanted: GrantWanted) -> Self {
        Self { project: wanted.project_id, role: wanted.role }
    }
}

/// Users, oldest first.
#[utoipa::path(get, path = "/users", tag = "users", params(PageQuery), responses((status = 200, body = Page<UserRecord>)))]
async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<UserRecord>>, Problem> {
    caller.require(Scope::Admin)?;
    let mut conn = state.pool.acquire().await?;
    let found = accounts::list(&mut conn, page.after()?, page.limit()).await?;
    let items = records(&mut conn, found).await?;
    Ok(Json(Page::new(items, &page, |user| user.id)))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUserRequest {
    /// What is typed to sign in: 2 to 100 letters, digits, `.`, `_`, `-`, `@`.
    name: String,
    display_name: String,
    /// Of whoever signs on by the provider: it is who they are, at their first sign-on.
    #[serde(default)]
    email: Option<String>,
    grants: Vec<GrantWanted>,
    /// Absent: by a password.
    #[serde(default)]
    signs_in_by: Option<SignsInBy>,
}

/// A fresh user. The password is shown here and never again; it must be changed at the first sign-in.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CreatedUser {
    user: UserRecord,
    /// Absent: signs on by the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_password: Option<String>,
}

/// Makes a user, who signs in by a password or by the laboratory's identity provider. It takes no Idempotency-Key: the password is kept nowhere, also not for a repeat.
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUserRequest,
    responses((status = 201, body = CreatedUser), (status = 409, body = Problem, description = "`user.name_taken`, `user.email_taken`"),
        (status = 422, body = Problem)))]
async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Json(request): Json<NewUserRequest>,
) -> Result<(StatusCode, Json<CreatedUser>), Problem> {
    let new = NewUser {
        name: request.name,
        display_name: request.display_name.trim().to_owned(),
        email: request.email.filter(|email| !email.is_empty()),
        grants: request.grants.into_iter().map(Into::into).collect(),
        is_demo: false,
        password: None,
    };
    let mut conn = state.pool.acquire().await?;
    let (id, initial_password) = match request.signs_in_by {
        None | Some(SignsInBy::Password) => {
            manage::create(&mut conn, new, caller.id()).await?.map_err(refuse)?
        }
        Some(SignsInBy::Provider) => {
            (sign_on::account::create(&mut conn, new, caller.id()).await?.map_err(refuse)?, None)
        }
    };
    let user = user(&mut conn, id).await?;
    Ok((StatusCode::CREATED, Json(CreatedUser { user, initial_password })))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantsWanted {
    grants: Vec<GrantWanted>,
}

/// From now on these roles and no others.
#[utoipa::path(put, path = "/users/{id}/grants", tag = "users", params(("id" = ActorId, Path)), request_body = GrantsWanted,
    responses((status = 200, body = UserRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`user.last_admin`")))]
async fn grant(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ActorId>,
    Json(request): Json<GrantsWanted>,
) -> Result<Json<UserRecord>, Problem> {
    let granted: Vec<Grant> = request.grants.into_iter().map(Into::into).collect();
    let mut conn = state.pool.acquire().await?;
    manage::grant(&mut conn, id, &granted, caller.id()).await?.map_err(refuse)?;
    Ok(Json(user(&mut conn, id).await?))
}

/// Switches an account off: every browser is signed out, and every token of theirs opens nothing.
#[utoipa::path(post, path = "/users/{id}/disable", tag = "users", params(("id" = ActorId, Path)),
    responses((status = 200, body = UserRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`user.last_admin`")))]
async fn disable(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ActorId>,
) -> Result<Json<UserRecord>, Problem> {
    switch(&state, &caller, id, AccountState::Disabled).await
}

/// Switches an account on again.
#[utoipa::path(post, path = "/users/{id}/enable", tag = "users", params(("id" = ActorId, Path)),
    responses((status = 200, body = UserRecord), (status = 404, body = Problem)))]
async fn enable(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ActorId>,
) -> Result<Json<UserRecord>, Problem> {
    switch(&state, &caller, id, AccountState::Active).await
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct InitialPassword {
    initial_password: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignOnWanted {
    /// Who they are at the provider, at their next sign-on.
    email: String,
}

/// From now on they sign on by the laboratory's identity provider alone: whoever it says has this address.
///
/// A password they had is gone. Whoever the account was linked to is unlinked: the next sign-on links it anew. Every
/// browser is signed out; tokens stay.
#[utoipa::path(put, path = "/users/{id}/sign-on", tag = "users", params(("id" = ActorId, Path)), request_body = SignOnWanted,
    responses((status = 200, body = UserRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`user.email_taken`, `user.last_admin`"),
        (status = 422, body = Problem, description = "`user.email_invalid`")))]
async fn prepare_sign_on(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ActorId>,
    Json(wanted): Json<SignOnWanted>,
) -> Result<Json<UserRecord>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let prepared = sign_on::account::prepare(&mut conn, id, wanted.email.trim(), caller.id()).await?;
    prepared.map_err(refuse)?;
    Ok(Json(user(&mut conn, id).await?))
}

/// A fresh random password, shown once, to be changed at the next sign-in. Whoever signed on by the provider signs in
/// with it from then on.
#[utoipa::path(post, path = "/users/{id}/password", tag = "users", params(("id" = ActorId, Path)),
    responses((status = 200, body = InitialPassword), (status = 404, body = Problem)))]
async fn reset_password(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ActorId>,
) -> Result<Json<InitialPassword>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let initial_password = manage::reset_password(&mut conn, id, caller.id()).await?.map_err(refuse)?;
    Ok(Json(InitialPassword { initial_password }))
}

/// Signs somebody out in every browser.
#[utoipa::path(delete, path = "/users/{id}/sessions", tag = "users", params(("id" = ActorId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn sign_out(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ActorId>,
) -> Result<StatusCode, Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    accounts::by_id(&mut tx, id).await?.ok_or_else(|| Problem::not_found("user", id))?;
    let ended = sessions::end_all(&mut tx, id, None).await?;
    events::append(&mut tx, &event("SessionsEnded", id, &caller, json!({"ended": ended}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn switch(
    state: &AppState,
    caller: &Caller,
    id: ActorId,
    to: AccountState,
) -> Result<Json<UserRecord>, Problem> {
    let mut conn = state.pool.acquire().await?;
    manage::switch(&mut conn, id, to, caller.id()).await?.map_err(refuse)?;
    Ok(Json(user(&mut conn, id).await?))
}

async fn user(conn: &mut PgConnection, id: ActorId) -> Result<UserRecord, Problem> {
    let account = accounts::by_id(conn, id).await?.ok_or_else(|| Problem::not_found("user", id))?;
    let found = records(conn, vec![account]).await?;
    found.into_iter().next().ok_or_else(|| Problem::not_found("user", id))
}

async fn records(conn: &mut PgConnection, found: Vec<Account>) -> Result<Vec<UserRecord>, Problem> {
    let ids: Vec<ActorId> = found.iter().map(|account| account.actor_id).collect();
    let granted = grants::of_many(conn, &ids).await?;
    let mut records = Vec::with_capacity(found.len());
    for account in found {
        let theirs = granted.get(&account.actor_id).map_or(&[][..], Vec::as_slice);
        let grants = with_names(conn, theirs).await?;
        records.push(UserRecord {
            id: account.actor_id,
            name: account.name,
            display_name: account.display_name,
            email: account.email,
            state: account.state,
            signs_in_by: account.signs_in_by,
            linked: account.is_linked,
            grants,
            must_change_password: account.must_change_password,
            demo: account.is_demo,
            created_at: account.created_at,
            last_sign_in_at: account.last_sign_in_at,
        });
    }
    Ok(records)
}

fn refuse(refused: Refused) -> Problem {
    let detail = sentence(&refused);
    let status = match refused {
        Refused::NameTaken | Refused::EmailTaken | Refused::LastAdmin => StatusCode::CONFLICT,
        Refused::NotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, refused.code(), detail)
}
