//! Campaigns: made, looked at, paused, ended.

mod predictions;
mod read;
mod view;

use super::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new()
        .route(read, routes!(read::list))
        .route(read, routes!(read::get))
        .route(read, routes!(predictions::get))
}
