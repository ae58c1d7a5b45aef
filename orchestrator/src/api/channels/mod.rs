//! The ways out to people: added, changed, tried, removed; what became of each delivery.

mod deliveries;
mod manage;
mod wish;

use super::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let admin = Access::AnyOf(&[Scope::Admin]);
    Routes::new()
        .route(admin, routes!(manage::list))
        .route(admin, routes!(manage::add))
        .route(admin, routes!(manage::change))
        .route(admin, routes!(manage::remove))
        .route(admin, routes!(deliveries::test))
        .route(admin, routes!(deliveries::list))
        .route(admin, routes!(deliveries::get))
        .route(admin, routes!(deliveries::redeliver))
}
