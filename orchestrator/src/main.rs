//! `loopwright`: the service and its command line.

use clap::Parser;
use orchestrator::cli::Arguments;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopwright: {error:#}");
            ExitCode::FAILURE
        }
    }
}
