//! What `loopwright doctor` asks of a server whose database it cannot reach itself.

use super::access::{Access, Caller, Routes};
use super::audit::audit_head;
use super::extract::Json;
use super::problem::Problem;
use super::state::AppState;
use crate::engine::standstills;
use crate::store::checkup::{Vitals, vitals};
use crate::store::events::Head;
use crate::store::installation::{Installation, installation};
use crate::store::tokens::Scope;
use crate::watchdog::standstill::Standstill;
use axum::extract::State;
use chrono::{DateTime, Utc};
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
    /// Of the audit chain: write it down elsewhere, and `loopwright audit verify --head` compares.
    pub audit_head: Head,
    /// Why the blob store cannot be written; absent when it can.
    pub blob_store_error: Option<String>,
    #[serde(default)]
    pub installation: Installation,
    /// What is wrong with a few blobs that were read as a sample.
    #[serde(default)]
    pub blobs_wrong: Vec<String>,
    /// Free where the blobs lie; absent for a bucket.
    #[serde(default)]
    pub blob_store_free_bytes: Option<u64>,
    /// The server's own clock.
    #[serde(default)]
    pub server_at: Option<DateTime<Utc>>,
    /// What stands still past its deadline: what, since when, why, what to do.
    #[serde(default)]
    pub standstills: Vec<String>,
    /// Absent: people sign in by passwords alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_on: Option<SignOn>,
}

/// How the laboratory's identity provider is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SignOnCheckup)]
pub struct SignOn {
    pub issuer: String,
    /// Why nobody can sign on by it; absent when people can.
    pub error: Option<String>,
}

/// How the database, the queue and the blob store are.
#[utoipa::path(get, path = "/checkup", tag = "service", responses((status = 200, body = Checkup)))]
async fn get(State(state): State<AppState>, caller: Caller) -> Result<Json<Checkup>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let database = vitals(&mut conn).await?;
    let installation = installation(&mut conn).await?;
    let standstills = standstills::all(&mut conn, &caller.visible()).await?;
    let audit_head = audit_head(&mut conn).await?;
    drop(conn);
    let blob_store_error = state.blobs.probe().await.err().map(|error| error.with_sources());
    let sign_on = match &state.config.sign_on {
        None => None,
        Some(provider) => {
            let error = provider.probe().await.err().map(|failed| failed.to_string());
            Some(SignOn { issuer: provider.settings().issuer.clone(), error })
        }
    };
    Ok(Json(Checkup {
        sign_on,
        database,
        audit_head,
        installation,
        blob_store_error,
        blobs_wrong: state.blobs.sample(&state.pool).await?,
        blob_store_free_bytes: state.blobs.free_bytes(),
        server_at: Some(Utc::now()),
        standstills: standstills.iter().map(Standstill::in_words).collect(),
    }))
}
