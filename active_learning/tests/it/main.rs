//! The learner from outside: tables in, proposals out.

mod checkpoints;
mod learning;
mod priors;
mod proposals;
mod replays;
mod synthetic;
mod tables;
mod working;
