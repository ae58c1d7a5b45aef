//! `loopwright`: the service and its command line.

/// glibc keeps what argon2 gave back (19 MiB a sign-in, several times over); this one returns it to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
