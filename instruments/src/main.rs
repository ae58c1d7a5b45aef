//! `loopwright-agent`: stands beside one device, pulls its jobs, drives it, and keeps results on its own
//! disk until the server has taken them.
//!
//! It decides nothing: which plate, which wells, when and whether is the server's; how the device does it is
//! the device's. One thread, no state but the spool.

mod agent;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("crash-points") {
        println!(
            "{}",
            jobs::crash::list(&[
                jobs::worker::steps::Step::LISTED,
                instruments::drivers::steps::Step::LISTED
            ])
        );
        return ExitCode::SUCCESS;
    }
    let settings = agent::Settings::parse();
    jobs::crash::this_process_is(settings.name.as_ref().unwrap_or(&settings.instrument));
    agent::log_to_stderr(&settings);
    match agent::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the agent ends");
            ExitCode::FAILURE
        }
    }
}
