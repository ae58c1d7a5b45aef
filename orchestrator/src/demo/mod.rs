//! Everything on one machine: a private PostgreSQL, `serve`, a learner, the simulated bench with an
//! agent for each of its devices, and a campaign in fast-forward.
//!
//! Each part is a process of its own, the same as in a laboratory; this module only starts them, restarts
//! what dies, feeds them a campaign through the public API, and tells a person what happens. It draws no
//! consequences and keeps no state but what it needs to find its processes again ([`ground`]).
//!
//! [`own`] puts a campaign file of one's own in the place of the demo's: `loopwright simulate`.
//!
//! Interrupted or killed and started again on the same folder, it goes on where it was: PostgreSQL and the
//! bench's truth log remember.

mod bring_up;
mod bystander;
mod campaign_file;
mod care;
mod ground;
mod hands;
mod history;
mod narrate;
mod own;
mod postgres;
mod report;
mod run;
mod supervisor;

pub use ground::Settings;
pub use own::{Asked as OwnCampaign, digest};
pub use postgres::is_at_work as has_a_database;
pub use run::{Options, run};
