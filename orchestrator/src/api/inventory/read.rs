//! `GET /inventory..`

use crate::api::access::Caller;
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::calendar::Zone;
use crate::calendar::week::{self, Supply};
use crate::campaigns::outlook;
use crate::store::clock;
use crate::store::inventory::{
    self, Filter, Role, StockBlanks, StockContent, StockPlate, StockPlateAll, StockState,
};
use axum::extract::State;
use chrono::Duration;
use instruments::labware::Labware;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only these.
    #[param(inline)]
    role: Option<Role>,
    /// Only these.
    #[param(inline)]
    state: Option<StockState>,
    /// Part of the barcode, whatever its case.
    search: Option<String>,
}

/// Plates by barcode, with where they stand and what is left in them.
#[utoipa::path(get, path = "/inventory/plates", tag = "inventory", params(Wanted, PageQuery),
    responses((status = 200, body = Page<StockPlate>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Query(wanted): Query<Wanted>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<StockPlate>>, Problem> {
    let after: Option<String> = query.after()?;
    let mut conn = state.pool.acquire().await?;
    let filter = Filter { role: wanted.role, state: wanted.state, search: given(wanted.search.as_deref()) };
    let items = inventory::list(&mut conn, &filter, after.as_deref(), query.limit()).await?;
    Ok(Json(Page::new(items, &query, |plate| plate.barcode.clone())))
}

/// A plate of the stock with all that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct StockPlateShown {
    #[serde(flatten)]
    plate: StockPlateAll,
    /// What a well holds at most, in nanolitres; absent where the labware is not known any more.
    capacity_nl: Option<u64>,
    /// What a plan leaves in each well, in nanolitres.
    stays_nl: Option<u64>,
}

/// One plate of the stock: its wells, who drew from it or will, and what people did to it.
///
/// Rounds of projects that the caller may not read are there without their names.
#[utoipa::path(get, path = "/inventory/plates/{barcode}", tag = "inventory", params(("barcode" = String, Path)),
    responses((status = 200, body = StockPlateShown), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(barcode): Path<String>,
) -> Result<Json<StockPlateShown>, Problem> {
    shown(&mut *state.pool.acquire().await?, &barcode, &caller).await.map(Json)
}

/// As it is now, for `caller`.
pub(super) async fn shown(
    conn: &mut sqlx::PgConnection,
    barcode: &str,
    caller: &Caller,
) -> Result<StockPlateShown, Problem> {
    let plate = inventory::look(conn, barcode, &caller.visible()).await?;
    let plate = plate.ok_or_else(|| Problem::not_found("plate of the stock", barcode))?;
    let labware = Labware::by_load_name(&plate.plate.labware).ok();
    Ok(StockPlateShown {
        capacity_nl: labware.map(|it| u64::from(it.capacity().0)),
        stays_nl: labware.map(Labware::stays_nl),
        plate,
    })
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ContentsWanted {
    /// Part of the name, whatever its case.
    search: Option<String>,
}

/// Reagents by name, over all source plates that may be drawn from.
#[utoipa::path(get, path = "/inventory/contents", tag = "inventory", params(ContentsWanted, PageQuery),
    responses((status = 200, body = Page<StockContent>)))]
pub(super) async fn contents(
    State(state): State<AppState>,
    Query(wanted): Query<ContentsWanted>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<StockContent>>, Problem> {
    let after: Option<String> = query.after()?;
    let stays: Vec<(String, i64)> = Labware::all()
        .iter()
        .map(|labware| (labware.load_name.to_owned(), i64::try_from(labware.stays_nl()).unwrap_or(i64::MAX)))
        .collect();
    let mut conn = state.pool.acquire().await?;
    let search = given(wanted.search.as_deref());
    let items = inventory::contents(&mut conn, search, &stays, after.as_deref(), query.limit()).await?;
    Ok(Json(Page::new(items, &query, |content| content.content.clone())))
}

/// Blank plates that are not used up, by labware and context.
#[utoipa::path(get, path = "/inventory/blanks", tag = "inventory",
    responses((status = 200, body = Vec<StockBlanks>)))]
pub(super) async fn blanks(State(state): State<AppState>) -> Result<Json<Vec<StockBlanks>>, Problem> {
    Ok(Json(inventory::blanks(&mut *state.pool.acquire().await?).await?))
}

/// Days that are looked at at most.
const MOST_DAYS: i64 = 92;
const DEFAULT_DAYS: i64 = 28;

#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Horizon {
    /// Laboratory days to look ahead, 1..=92; 28 when absent.
    days: Option<i64>,
}

/// What the rounds to come take from the stock, and what runs out when: as the calendar forecasts them.
///
/// Blank plates, controls, and what batches have chosen that wait for approval. Reagents that no batch has chosen yet
/// are not in it. Rounds of projects that the caller may not read count and are not named.
#[utoipa::path(get, path = "/inventory/supplies", tag = "inventory", params(Horizon),
    responses((status = 200, body = Vec<Supply>)))]
pub(super) async fn supplies(
    State(state): State<AppState>,
    caller: Caller,
    Query(horizon): Query<Horizon>,
) -> Result<Json<Vec<Supply>>, Problem> {
    let days = horizon.days.unwrap_or(DEFAULT_DAYS).clamp(1, MOST_DAYS);
    let mut conn = state.pool.acquire().await?;
    let now = clock::lab_now(&mut conn).await?;
    let to = now.checked_add_signed(Duration::days(days)).unwrap_or(now);
    let outlook = outlook::read(&mut conn, now, to, Zone::UTC, &caller.visible()).await?;
    drop(conn);
    Ok(Json(week::supplies(&outlook)))
}

/// What is searched for; nothing is no search.
fn given(search: Option<&str>) -> Option<&str> {
    search.map(str::trim).filter(|search| !search.is_empty())
}
