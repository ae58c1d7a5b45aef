//! Batches: looked at, edited, talked of, approved.

mod approve;
mod comments;
mod edit;
mod plan;
mod read;
mod record;
mod refusal;
mod reject;
mod standing;
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
        .route(read, routes!(plan::get_plan))
        .route(read, routes!(comments::list_comments))
        // Who may read may speak.
        .route(read, routes!(comments::comment))
        .route(approve, routes!(approve::post))
        .route(approve, routes!(reject::post))
        .route(edit, routes!(edit::remove))
        .route(edit, routes!(edit::add))
}
