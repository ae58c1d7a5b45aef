//! `loopwright serve`: options of the service.

use crate::serve::{Config, serve};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// PostgreSQL URL of a login that may act as loopwright_app
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    #[arg(long, env = "LOOPWRIGHT_LISTEN", default_value = "127.0.0.1:8460")]
    pub listen: SocketAddr,
    /// Folder of the blob store
    #[arg(long, env = "LOOPWRIGHT_DATA_DIR")]
    pub data_dir: PathBuf,
    /// TLS is ended by a proxy in front: allows a non-loopback address
    #[arg(long, env = "LOOPWRIGHT_BEHIND_PROXY")]
    pub behind_proxy: bool,
    /// How long authority over a job lasts without a heartbeat
    #[arg(long, env = "LOOPWRIGHT_LEASE_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(3..=3600))]
    pub lease_seconds: u32,
}

pub async fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    log_to_stderr();
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    serve(
        Config {
            database_url: arguments.database_url,
            listen: arguments.listen,
            data_dir: arguments.data_dir,
            behind_proxy: arguments.behind_proxy,
            lease_duration: Duration::from_secs(arguments.lease_seconds.into()),
        },
        shutdown,
    )
    .await
}

/// JSON with LOOPWRIGHT_LOG_FORMAT=json, else text; levels by RUST_LOG.
fn log_to_stderr() {
    let levels = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(levels).with_writer(std::io::stderr);
    if std::env::var("LOOPWRIGHT_LOG_FORMAT").is_ok_and(|format| format == "json") {
        log.json().init();
    } else {
        log.with_ansi(false).init();
    }
}

async fn cancel_on_signal(shutdown: CancellationToken) {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    shutdown.cancel();
}
