//! The bench as its clients meet it: over HTTP in this process, and as a process that can be killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod assay;
mod biology;
mod devices;
mod opentrons;
mod process;
mod restart;
mod support;
mod world;
