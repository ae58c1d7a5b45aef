//! What people ask of a campaign's model: predictions of single experiments, rankings of whole spaces. A learner
//! answers in a job; whoever asks waits a while, or looks again later.

mod asked;
mod contexts;
mod predict;
mod screen;

use crate::api::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let ask = Access::AnyOf(&[Scope::CampaignWrite, Scope::BatchEdit]);
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new()
        .route(ask, routes!(predict::post))
        .route(read, routes!(predict::get))
        .route(ask, routes!(screen::post))
        .route(read, routes!(screen::get))
}
