//! Rounds: one turn of the loop each; looked at, paused, drained, resumed, cancelled.

mod control;
mod read;

pub(super) use read::RoundRecord;

use super::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let write = Access::AnyOf(&[Scope::CampaignWrite]);
    Routes::new()
        .route(Access::AnyOf(&[Scope::Read]), routes!(read::get))
        .route(write, routes!(control::pause))
        .route(write, routes!(control::hold))
        .route(write, routes!(control::drain))
        .route(write, routes!(control::resume))
        .route(write, routes!(control::cancel))
}
