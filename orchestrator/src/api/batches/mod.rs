//! Batches: looked at, edited, approved.

mod approve;
mod edit;
mod read;
mod refusal;
mod reject;
mod view;

use super::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    let edit = Access::AnyOf(&[Scope::BatchEdit]);
    let approve = Access::AnyOf(&[Scope::BatchApprove]);
    Routes::new()
        .route(read, routes!(read::list))
        .route(read, routes!(read::get))
        .route(read, routes!(read::list_proposals))
        .route(approve, routes!(approve::post))
        .route(approve, routes!(reject::post))
        .route(edit, routes!(edit::remove))
        .route(edit, routes!(edit::add))
}
