//! What `loopwright doctor` asks of a server whose database it cannot reach itself.

use super::access::{Access, Routes};
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use crate::store::checkup::{Vitals, vitals};
use crate::store::tokens::Scope;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new().route(Access::AnyOf(&[Scope::Read]), routes!(get))
}

/// Figures that say whether the installation is well; what they mean is the reader's to judge.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Checkup {
    pub database: Vitals,
    /// Why the blob store cannot be written; absent when it can.
    pub blob_store_error: Option<String>,
}

/// How the database, the queue and the blob store are.
#[utoipa::path(get, path = "/checkup", tag = "service", responses((status = 200, body = Checkup)))]
async fn get(State(state): State<AppState>) -> Result<Json<Checkup>, Problem> {
    let database = vitals(&mut *state.pool.acquire().await?).await?;
    let blob_store_error = state.blobs.probe().await.err().map(|error| error.with_sources());
    Ok(Json(Checkup { database, blob_store_error }))
}
