//! `bench-queue`: see `scripts/bench-queue`, which gives it a PostgreSQL and the other queues.

use benchmarks::queue::run::{Options, run};
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-queue: {error:#}");
            ExitCode::FAILURE
        }
    }
}
