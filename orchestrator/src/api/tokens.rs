//! Bearer tokens: made, listed, revoked. Who makes them decides who may do what.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path, Query};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::ids::TokenId;
use crate::store::events::{self, NewEvent};
use crate::store::tokens::{self, NewToken, Revoked, Scope, Token};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let admin = Access::AnyOf(&[Scope::Admin]);
    Routes::new().route(admin, routes!(list)).route(admin, routes!(create)).route(admin, routes!(revoke))
}

/// Every token, without its secret.
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(PageQuery), responses((status = 200, body = Page<Token>)))]
async fn list(
    State(state): State<AppState>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Token>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let tokens = tokens::list(&mut conn, page.after()?, page.limit()).await?;
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
    let mut tx = Begun::on(&state.pool).await?;
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
    if tokens::revoke(&mut tx, id).await? == Revoked::Revoked {
        events::append(&mut tx, &event("TokenRevoked", id, &caller, json!({}))).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
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
