//! Projects: what roles are granted on and campaigns belong to.

use super::access::{Access, Caller, Routes};
use super::extract::Json;
use super::page::Page;
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::store::events::{self, NewEvent};
use crate::store::people::projects::{self, Inserted, Project};
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::routes;

const LONGEST_NAME: usize = 100;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(Access::AnyOf(&[Scope::Read]), routes!(list))
        .route(Access::AnyOf(&[Scope::Admin]), routes!(create))
}

/// The projects that the caller may read, by name.
#[utoipa::path(get, path = "/projects", tag = "users", responses((status = 200, body = Page<Project>)))]
async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<Page<Project>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let items = projects::list(&mut conn, caller.visible().limit().as_deref()).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProject {
    name: String,
}

/// Makes a project.
#[utoipa::path(post, path = "/projects", tag = "users", request_body = NewProject,
    responses((status = 201, body = Project), (status = 409, body = Problem, description = "`project.name_taken`"),
        (status = 422, body = Problem, description = "`project.name_invalid`")))]
async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewProject>,
) -> Result<(StatusCode, Json<Project>), Problem> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let detail = format!("`name` has 1 to {LONGEST_NAME} characters.");
        return Err(Problem::unprocessable("project.name_invalid", detail));
    }
    let mut tx = Begun::on(&state.pool).await?;
    let project = match projects::insert(&mut tx, name).await? {
        Inserted::Created(project) => project,
        Inserted::NameTaken => {
            let detail = format!("There is a project {name:?} already.");
            return Err(Problem::conflict("project.name_taken", detail));
        }
    };
    let event = NewEvent {
        kind: "ProjectCreated",
        subject: "project",
        subject_id: project.id.to_string(),
        campaign_id: None,
        actor: caller.id(),
        body: json!({"name": name}),
    };
    events::append(&mut tx, &event).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(project)))
}
