//! The whole system, in real processes.

mod arrows;
mod clocks;
mod demo;
mod kills;
mod laboratory;
