//! What work costs when there is much of it already, over the real service and its own engine.
//!
//! Rows are made by SQL ([`laboratory`]): a laboratory that has worked for years. Then, size by size: the queue
//! ([`pending`]), campaigns of many rounds ([`rounds`]), many observations ([`observations`]); every page over the
//! largest of them ([`pages`], [`routes`]); plates as they are read, beside a bare COPY of the same rows ([`ingest`]).
//!
//! A cost over sizes has a [`trend`]: flat, linear, or worse.

pub mod run;

mod laboratory;
mod words;

mod ingest;
mod observations;
mod pages;
mod pending;
mod rounds;
mod routes;

mod report;
mod trend;
