//! What people are told: which event opens a notification and which closes it, whom it concerns, how often it
//! is repeated, and in what words it goes out.
//!
//! ```text
//! event -> outbox -> relay: command -> notification (open -> acknowledged -> closed)
//!                                          |-> delivery per channel (pending -> delivered | dead)
//!                                          `-> escalation, while nobody acknowledges: further channels
//! ```
//!
//! Reading order: the words ([`topic`]), what an event means ([`command`]), the life of a notification
//! ([`state`]) and of a delivery ([`delivery`], [`backoff`]), who wants it ([`interest`]), how it is told
//! ([`telling`], `cloud_event`, `slack`, `letter`, [`signature`]), and what is done in a transaction
//! (`carry_out`, `acknowledge`, `escalate`).
//!
//! Invariants: at most one notification open per cause and subject; opening, its event and its deliveries are
//! one transaction; what nobody can act on is never escalated.
//!
//! Deliberately absent: HTTP and SMTP (in [`crate::channels`]), SQL (in [`crate::store`]).

pub mod acknowledge;
pub mod backoff;
pub mod carry_out;
pub mod cloud_event;
pub mod command;
pub mod delivery;
pub mod escalate;
pub mod interest;
pub mod letter;
pub mod settings;
pub mod signature;
pub mod slack;
pub mod state;
pub mod telling;
pub mod topic;

pub use command::{Command, Told, command};
pub use interest::Interest;
pub use settings::Settings;
pub use telling::Telling;
pub use topic::{Severity, Topic};
