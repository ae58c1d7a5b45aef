//! What stands in the laboratory.

use super::access::{Access, Routes};
use super::extract::{Json, Query};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::state::AppState;
use crate::store::inventory::{self, StockPlate};
use crate::store::tokens::Scope;
use axum::extract::State;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new().route(Access::AnyOf(&[Scope::Read]), routes!(list))
}

/// Plates by barcode, with where they stand and what is left in them.
#[utoipa::path(get, path = "/inventory/plates", tag = "inventory", params(PageQuery),
    responses((status = 200, body = Page<StockPlate>)))]
async fn list(
    State(state): State<AppState>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<StockPlate>>, Problem> {
    let after: Option<String> = query.after()?;
    let mut conn = state.pool.acquire().await?;
    let items = inventory::list(&mut conn, after.as_deref(), query.limit()).await?;
    Ok(Json(Page::new(items, &query, |plate| plate.barcode.clone())))
}
