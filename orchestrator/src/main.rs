//! `loopwright`: the service and its command line.

/// In what is installed. It gives what was large back to the system at once (argon2 takes 19 MiB a sign-in), which glibc and mimalloc keep.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
