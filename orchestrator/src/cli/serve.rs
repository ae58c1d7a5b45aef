//! `loopwright serve`: options of the service.

use anyhow::bail;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

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
    bail!("not yet: {arguments:?}")
}
