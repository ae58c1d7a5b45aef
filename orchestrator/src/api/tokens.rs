//! Bearer tokens: made, listed, revoked. An administrator makes them for machines and for people who do not sign in;
//! whoever signs in makes their own, with no more than they may do.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path, Query};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::ids::{ActorId, TokenId};
use crate::store::events::{self, NewEvent};
use crate::store::people::accounts;
use crate::store::tokens::{self, ActorKind, NewToken, Revoked, Scope, Token};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// A year.
const LONGEST_OWN_HOURS: u32 = 366 * 24;

pub(super) fn routes() -> Routes {
    let known = Access::SignedIn;
    Routes::new().route(known, routes!(list)).route(known, routes!(create)).route(known, routes!(revoke))
}

/// Tokens, without their secrets: an administrator sees all, everybody else their own.
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(PageQuery), responses((status = 200, body = Page<Token>)))]
async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Token>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let tokens = tokens::list(&mut conn, owner(&caller), page.after()?, page.limit()).await?;
    Ok(Json(Page::new(tokens, &page, |token| token.id)))
}

/// A fresh token. The secret is shown here and never again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct CreatedToken {
    id: TokenId,
    secret: String,
}

/// Makes a token. It takes no Idempotency-Key: the secret is kept nowhere, also not for a repeat.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = NewToken, responses((status = 201, body = CreatedToken)))]
async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    if new.kind == ActorKind::System {
        let detail =
            "What the server does by itself is recorded under its own name: nobody else acts under it.";
        return Err(Problem::forbidden("token.not_own", detail));
    }
    if owner(&caller).is_some() {
        check_own(&caller, &new)?;
    }
    let mut tx = Begun::on(&state.pool).await?;
    let account = accounts::by_name(&mut tx, &new.actor).await?;
    if account.is_some_and(|(account, _)| account.actor_id != caller.id()) {
        let detail = "Whoever signs in makes their own tokens: nobody approves under another's name.";
        return Err(Problem::forbidden("token.not_own", detail));
    }
    let created = tokens::create(&mut tx, &new).await?;
    let body =
        json!({"actor": new.actor, "scopes": new.scopes, "label": new.label, "valid_hours": new.valid_hours});
    events::append(&mut tx, &event("TokenCreated", created.id, &caller, body)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CreatedToken { id: created.id, secret: created.secret })))
}

/// From now on the token opens nothing.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "tokens",
    params(("id" = TokenId, Path)),
    responses((status = 204), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    let whose = tokens::owner(&mut tx, id).await?;
    if owner(&caller).is_some_and(|me| whose != Some(me)) {
        return Err(Problem::not_found("token", id));
    }
    if tokens::revoke(&mut tx, id).await? == Revoked::Revoked {
        events::append(&mut tx, &event("TokenRevoked", id, &caller, json!({}))).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose tokens the caller may see; `None`: everybody's.
fn owner(caller: &Caller) -> Option<ActorId> {
    if caller.require(Scope::Admin).is_ok() { None } else { Some(caller.id()) }
}

/// A token of one's own opens no more than its owner may, and is made by a person who signed in: one token must not
/// make another that outlives it.
fn check_own(caller: &Caller, new: &NewToken) -> Result<(), Problem> {
    if caller.session().is_none() || new.kind != ActorKind::Person || new.actor != caller.name() {
        let detail = "Only an administrator makes tokens for others; sign in to make one of your own.";
        return Err(Problem::forbidden("token.not_own", detail));
    }
    let beyond: Vec<&str> =
        new.scopes.iter().filter(|scope| !caller.has(**scope)).map(|scope| scope.as_str()).collect();
    if !beyond.is_empty() {
        let detail = format!("Your roles do not give {}.", beyond.join(", "));
        return Err(Problem::forbidden("access.scope_missing", detail));
    }
    if new.valid_hours > LONGEST_OWN_HOURS {
        let detail = format!("A token of your own is valid for at most {LONGEST_OWN_HOURS} hours.");
        return Err(Problem::unprocessable("token.too_long", detail));
    }
    Ok(())
}

fn event<'a>(kind: &'a str, id: TokenId, caller: &Caller, body: serde_json::Value) -> NewEvent<'a> {
    NewEvent {
        kind,
        subject: "token",
        subject_id: id.to_string(),
        campaign_id: None,
        actor: caller.id(),
        body,
    }
}
