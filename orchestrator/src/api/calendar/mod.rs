//! The calendar of the whole installation: the time to come, and when no round may begin.

mod blackouts;
mod week;

pub(super) use week::zone;

use super::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    let write = Access::AnyOf(&[Scope::InstrumentWrite]);
    Routes::new()
        .route(read, routes!(week::get))
        .route(read, routes!(blackouts::list))
        .route(write, routes!(blackouts::post))
        .route(write, routes!(blackouts::delete))
}
