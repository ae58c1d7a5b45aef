//! The only SQL. One module per aggregate; functions take a connection, callers own the transaction.
//!
//! A state change, its event row and its outbox row are one transaction. The database's `now()` is real
//! time; laboratory time is read through [`clock`] alone.
//!
//! Deliberately absent: HTTP, decisions (the state machines make them), transactions that stay open across
//! a device or a model.

pub mod access;
pub mod accounts;
pub mod addresses;
pub mod agenda;
pub mod approvals;
pub mod at_hand;
pub mod backup;
pub mod batches;
pub mod blackouts;
pub mod blobs;
pub mod campaigns;
pub mod chains;
pub mod channels;
pub mod checkup;
pub mod clock;
pub mod comments;
pub mod deliveries;
pub mod dossier;
pub mod drains;
pub(crate) mod editions;
pub mod epoch;
pub mod error;
pub mod events;
pub mod exclusions;
pub mod further_observations;
pub mod genes;
pub mod holds;
pub mod idempotency;
pub mod installation;
pub mod instruments;
pub mod inventory;
pub mod jobs;
pub mod jump;
pub mod laboratory;
pub mod migrate;
pub mod models;
pub mod moved;
pub mod notifications;
pub mod observations;
pub mod outbox;
pub mod outlook;
pub mod people;
pub mod plates;
pub mod pool;
pub mod predictions;
pub mod proposals;
pub mod reconciliation;
pub mod results;
pub mod rounds;
pub mod settlements;
pub mod standing;
pub mod tasks;
pub mod telemetry;
pub mod ticks;
pub mod tokens;
pub mod traces;
pub mod uploads;
pub mod watchdog;

mod transaction;

pub use error::{Error, Result};
pub use migrate::{MIGRATOR, migrate};
pub use pool::{ConnectOptions, bounded, connect};
pub use transaction::{begin, begin_on};
