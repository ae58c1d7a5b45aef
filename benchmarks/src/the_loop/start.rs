//! From the start of `serve` to its first answer, over a database that is there and migrated.

use crate::databases::Cluster;
use crate::http::Connection;
use crate::service;
use anyhow::bail;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const DATABASE: &str = "bench_start";
const LIMIT: Duration = Duration::from_secs(30);

/// Seconds of each of `times` starts.
pub async fn measure(cluster: &Cluster, loopwright: &Path, times: u32) -> anyhow::Result<Vec<f64>> {
    cluster.make(DATABASE, None).await?;
    let url = cluster.url(DATABASE)?;
    service::migrate(loopwright, &url).await?;
    let mut seconds = Vec::new();
    for _ in 0..times {
        seconds.push(once(loopwright, &url).await?);
    }
    cluster.drop(DATABASE).await?;
    Ok(seconds)
}

async fn once(loopwright: &Path, url: &str) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let address = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let start = Instant::now();
    let mut process = tokio::process::Command::new(loopwright)
        .args(["serve", "--listen", &address.to_string(), "--data-dir"])
        .arg(folder.path())
        .env("DATABASE_URL", url)
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    while !answers(address).await {
        if start.elapsed() > LIMIT {
            bail!("the service did not answer within {} s", LIMIT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let seconds = start.elapsed().as_secs_f64();
    process.kill().await?;
    Ok(seconds)
}

async fn answers(address: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address, "").await else { return false };
    matches!(connection.get("/healthz").await, Ok((200, _)))
}
