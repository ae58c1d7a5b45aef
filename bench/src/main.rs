//! `loopwright-bench`: one process, one physical world.

use anyhow::Context;
use bench::bench::Bench;
use bench::listen::Listening;
use bench::settings::Settings;
use clap::Parser;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopwright-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("crash-points") {
        println!("{}", instruments::crash::list(&[bench::steps::Step::LISTED]));
        return Ok(());
    }
    let settings = Settings::parse();
    instruments::crash::this_process_is("bench");
    let log = tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr);
    if settings.log_format == "json" {
        log.json().flatten_event(true).init();
    } else {
        log.init();
    }
    let exit_with_stdin = settings.exit_with_stdin;
    let bench = Bench::open(settings, || std::process::abort())?;
    let listening = Listening::open(bench).await.context("the bench cannot listen")?;
    let shutdown = CancellationToken::new();
    tokio::spawn(end_on_signal(shutdown.clone()));
    if exit_with_stdin {
        let shutdown = shutdown.clone();
        std::thread::spawn(move || {
            // Whatever is written to it is of no interest, only its end.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            shutdown.cancel();
        });
    }
    let serving = listening.serve(shutdown.clone());
    tokio::select! {
        ended = serving => ended?,
        // A client that keeps its connection open does not keep the world alive.
        () = grace_after(shutdown) => {}
    }
    // A step in progress is in the log or has not happened: nothing is to be waited for.
    std::process::exit(0)
}

async fn grace_after(shutdown: CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
}

async fn end_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            shutdown.cancel();
        }
        _ => tracing::error!("no signal can be received; end this process by closing its input"),
    }
}
