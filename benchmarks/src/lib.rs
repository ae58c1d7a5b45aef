//! How fast it is, measured beside others in the same run: ratios travel to other machines, absolutes do not.
//!
//! What every benchmark needs: figures ([`figures`]), the machine ([`machine`]), what processes use
//! ([`processes`]), PostgreSQL
//! ([`databases`]), the real service ([`service`]) and a client that costs little ([`http`]). Then the queue
//! ([`queue`]), the loop around a laboratory that takes no time ([`the_loop`], [`laboratory`]), a week of it at a
//! hundred times its load ([`week`]), and what work costs when there is much of it ([`growth`]).
//!
//! Deliberately absent: pass marks. A run fails when something was wrong (a job done twice), never when it was slow.

pub mod databases;
pub mod figures;
pub mod growth;
pub mod http;
pub mod laboratory;
pub mod machine;
pub mod processes;
pub mod queue;
pub mod service;
pub mod the_loop;
pub mod week;
