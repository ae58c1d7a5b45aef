//! What waits for a person.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path, Query};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::ids::TaskId;
use crate::store::tasks::{self, Task};
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

const CLOSERS: &[Scope] = &[Scope::JobResolve, Scope::PlateDecide, Scope::BatchApprove, Scope::CampaignWrite];

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(Access::AnyOf(&[Scope::Read]), routes!(list))
        .route(Access::AnyOf(CLOSERS), routes!(close))
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only those still open; `true` when absent.
    open: Option<bool>,
}

/// Tasks, oldest first.
#[utoipa::path(get, path = "/tasks", tag = "tasks", params(Wanted, PageQuery), responses((status = 200, body = Page<Task>)))]
async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Task>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let (visible, open) = (caller.visible(), wanted.open.unwrap_or(true));
    let tasks = tasks::list(&mut conn, &visible, open, page.after()?, page.limit()).await?;
    Ok(Json(Page::new(tasks, &page, |task| task.id)))
}

/// A person says that it is dealt with. What it is about is decided elsewhere: this only takes it off the list.
#[utoipa::path(
    post,
    path = "/tasks/{id}/close",
    tag = "tasks",
    params(("id" = TaskId, Path)),
    responses((status = 204), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
async fn close(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<TaskId>,
) -> Result<StatusCode, Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    tasks::close(&mut tx, id, caller.id()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
