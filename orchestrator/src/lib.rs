//! Campaigns, rounds, approvals, inventory, queue, ingestion and their HTTP API, over PostgreSQL.
//!
//! Reading order: what a campaign says ([`campaigns`]), the state machines ([`rounds`], [`batches`],
//! [`plates`]), what people may order ([`orders`]), why something does not move ([`watchdog`]), the pure functions ([`calendar`], [`planning`], [`ingestion`]), the only SQL ([`store`]), what the queue keeps in memory
//! ([`queue`]), the loops that
//! move everything on ([`engine`]), what Prometheus sees ([`metrics`]), what a collector is told of rounds ([`traces`]), what people are told and how it reaches them ([`notifications`],
//! [`channels`]), the doors ([`api`], [`cli`]), the way back
//! after a loss ([`backup`]) and the whole of it on one machine
//! ([`demo`]).
//!
//! Deliberately absent: torch, biology, state that lives only in memory.

pub mod api;
pub mod backup;
pub mod batches;
pub mod calendar;
pub mod campaigns;
pub mod channels;
pub mod cli;
pub mod demo;
pub mod engine;
pub mod ids;
pub mod ingestion;
pub mod inventory;
#[cfg(test)]
mod machine;
pub mod metrics;
pub mod models;
pub mod notifications;
pub mod orders;
pub mod people;
pub mod planning;
pub mod plates;
pub mod queue;
pub mod rounds;
pub mod serve;
pub mod steps;
pub mod store;
pub mod traces;
pub mod watchdog;
