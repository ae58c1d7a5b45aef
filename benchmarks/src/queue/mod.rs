//! The queue, over HTTP and with everything on, beside the references of `docs/performance.md`.
//!
//! In each round, one after the other: the references ([`references`], [`rivals`]), then ours
//! ([`throughput`], [`enqueue`], [`dispatch`], [`idle`]); once, at the end, [`snapshot`]. A ratio is always of two
//! measurements of one round.
//!
//! Every measurement of ours has its own database and its own process of the service, and afterwards the database is
//! asked whether every job was done exactly once ([`exactly_once`]).

pub mod run;

pub(crate) mod ground;
pub(crate) mod worker;
pub(crate) mod workers;

mod dispatch;
mod enqueue;
mod exactly_once;
pub(crate) mod idle;
mod references;
mod rivals;
mod snapshot;
pub(crate) mod statements;
mod throughput;

mod report;
mod rows;
