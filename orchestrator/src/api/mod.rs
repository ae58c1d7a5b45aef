//! The HTTP door, under `/api/v1`, described by generated OpenAPI 3.1.
//!
//! Reading order: what handlers share ([`state`], [`access`], [`problem`], [`extract`], [`page`], [`etag`],
//! [`once`], `write`), then one file per resource. A route is registered with the scopes that open it
//! ([`access::Routes`]): there is no way to register one without.
//!
//! Deliberately absent: SQL (in [`crate::store`]), decisions (in the state machines).

pub mod access;
pub mod etag;
pub mod extract;
pub mod once;
pub mod page;
pub mod problem;
pub mod state;

mod app;
mod assemble;
mod audit;
mod batches;
mod blobs;
mod calendar;
mod caller;
mod campaigns;
mod channels;
mod checkup;
mod client_address;
mod clock;
mod cookie;
mod describe;
mod events;
mod gate;
mod health;
mod instruments;
mod inventory;
mod jobs;
mod known;
mod laboratory;
mod leases;
mod metrics;
mod models;
mod notifications;
mod orders;
mod plates;
mod projects;
mod reconciliation;
mod research_crate;
mod results;
mod rounds;
mod session;
mod sign_on;
mod tasks;
mod tokens;
mod unfinished;
mod uploads;
mod users;
mod why;
mod write;

pub use access::{Access, Reach, Routes, Rule};
pub use assemble::{openapi, router, rules};
pub use caller::Caller;
pub use checkup::{Checkup, SignOn};
pub use health::Health;
pub use metrics::scrape_router;
pub use problem::Problem;
pub use state::{AppState, Config};

/// Every route under `/api/v1`.
fn versioned() -> Routes {
    Routes::new()
        .merge(leases::routes())
        .merge(orders::routes())
        .merge(jobs::routes())
        .merge(blobs::routes())
        .merge(uploads::routes())
        .merge(instruments::routes())
        .merge(laboratory::routes())
        .merge(tasks::routes())
        .merge(events::routes())
        .merge(audit::routes())
        .merge(clock::routes())
        .merge(checkup::routes())
        .merge(reconciliation::routes())
        .merge(tokens::routes())
        .merge(session::routes())
        .merge(sign_on::routes())
        .merge(users::routes())
        .merge(projects::routes())
        .merge(campaigns::routes())
        .merge(calendar::routes())
        .merge(rounds::routes())
        .merge(batches::routes())
        .merge(plates::routes())
        .merge(inventory::routes())
        .merge(models::routes())
        .merge(results::routes())
        .merge(research_crate::routes())
        .merge(notifications::routes())
        .merge(channels::routes())
        .merge(why::routes())
}
