//! Assay plates: looked at, and decided on when QC failed.

mod decide;
mod read;

use super::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new()
        .route(read, routes!(read::list))
        .route(read, routes!(read::get))
        .slow_route(read, routes!(read::as_asm))
        .route(Access::AnyOf(&[Scope::PlateDecide]), routes!(decide::post))
}
