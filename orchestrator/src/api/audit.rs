//! The record as proof: its head, to be written down elsewhere, and an export that anybody can verify.

use super::access::{Access, Routes};
use super::extract::{Json, Query};
use super::problem::Problem;
use super::state::AppState;
use crate::store::events::{self, Exported, Head};
use crate::store::tokens::Scope;
use axum::extract::State;
use serde::Deserialize;
use sqlx::PgConnection;
use utoipa::IntoParams;
use utoipa_axum::routes;

/// It says everything of every project.
const READ: Access = Access::AnyOf(&[Scope::Read]);
const MOST: i64 = 2000;

pub(super) fn routes() -> Routes {
    Routes::new().route(READ, routes!(head)).route(READ, routes!(export))
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Piece {
    /// Position after which it begins; from the beginning when absent.
    after: Option<i64>,
    /// 1 to 2000 (2000 when absent).
    limit: Option<i64>,
}

/// Position and link of the newest sealed event.
#[utoipa::path(get, path = "/audit/head", tag = "events", responses((status = 200, body = Head)))]
async fn head(State(state): State<AppState>) -> Result<Json<Head>, Problem> {
    Ok(Json(audit_head(&mut *state.pool.acquire().await?).await?))
}

/// Sealed events behind a position, each in its canonical form with its link.
///
/// `docs/audit.md` says how to verify them with SHA-256 alone.
#[utoipa::path(get, path = "/audit/export", tag = "events", params(Piece), responses((status = 200, body = Vec<Exported>)))]
async fn export(
    State(state): State<AppState>,
    Query(piece): Query<Piece>,
) -> Result<Json<Vec<Exported>>, Problem> {
    let limit = piece.limit.unwrap_or(MOST).clamp(1, MOST);
    let mut conn = state.pool.acquire().await?;
    Ok(Json(events::export_after(&mut conn, piece.after.unwrap_or(0), limit).await?))
}

pub(super) async fn audit_head(conn: &mut PgConnection) -> Result<Head, Problem> {
    let (position, chain_sha256) = events::head(conn).await?;
    Ok(Head { position, chain_sha256 })
}
