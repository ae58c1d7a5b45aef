//! `bench-growth`: see `scripts/bench-growth`, which gives it a PostgreSQL.

use benchmarks::growth::run::{Options, run};
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-growth: {error:#}");
            ExitCode::FAILURE
        }
    }
}
