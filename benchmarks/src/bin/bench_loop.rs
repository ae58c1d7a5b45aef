//! `bench-loop`: see `scripts/bench-loop`, which gives it a PostgreSQL.

use benchmarks::the_loop::run::{Options, run};
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-loop: {error:#}");
            ExitCode::FAILURE
        }
    }
}
