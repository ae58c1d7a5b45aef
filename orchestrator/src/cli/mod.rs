//! The command line: one file per command. Everything but `serve`, `migrate`, `backup`, `restore`, `demo`, `openapi` and
//! `token create` and `user create` with `--database-url` speaks to a server over HTTP, as anybody else would.

pub mod arguments;
pub mod audit;
pub mod backup;
pub mod batch;
pub mod calendar;
pub mod campaign;
pub mod channel;
pub mod client;
pub mod demo;
pub mod doctor;
pub mod instrument;
pub mod inventory;
pub mod job;
pub mod laboratory;
pub mod migrate;
pub mod model;
pub mod notification;
pub mod output;
pub mod page;
pub mod plate;
pub mod priors;
pub mod project;
pub mod reconciliation;
pub mod restore;
pub mod results;
pub mod round;
pub mod serve;
pub mod simulate;
pub mod task;
pub mod token;
pub mod user;
pub mod why;

pub use arguments::Arguments;
