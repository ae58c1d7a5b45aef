//! The learner from outside: tables in, proposals out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checkpoints;
mod contexts;
mod devices;
mod doses;
mod learning;
mod priors;
mod proposals;
mod readouts;
mod replays;
mod screening;
mod sets;
mod shadows;
mod synthetic;
mod tables;
mod working;
