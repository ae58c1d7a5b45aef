//! Campaigns: made, looked at, asked, paused, drained, ended.

mod check;
mod control;
mod create;
mod learning_curve;
mod next_ticks;
mod predictions;
mod progress;
mod questions;
mod read;
mod start_round;
mod view;

pub(super) use control::GivesReason;

use super::access::{Access, Routes};
use crate::store::tokens::Scope;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    let write = Access::AnyOf(&[Scope::CampaignWrite]);
    Routes::new()
        .route(read, routes!(read::list))
        .route(read, routes!(read::get))
        .route(read, routes!(predictions::get))
        .merge(questions::routes())
        .route(read, routes!(progress::get))
        .route(read, routes!(learning_curve::get))
        .slow_route(write, routes!(create::post))
        .route(write, routes!(check::post))
        .route(read, routes!(next_ticks::get))
        .route(write, routes!(start_round::post))
        .route(write, routes!(control::pause))
        .route(write, routes!(control::drain))
        .route(write, routes!(control::resume))
        .route(write, routes!(control::cancel))
}
