//! The real service: the release binary in a process of its own, killed when dropped.

use anyhow::{Context, bail};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const START_LIMIT: Duration = Duration::from_secs(30);

/// `loopwright serve`.
#[derive(Debug)]
pub struct Service {
    process: Child,
    pub address: SocketAddr,
    /// Process id.
    pub pid: u32,
}

impl Service {
    /// Serves the database at `url`; its files and its log go into `folder`.
    pub async fn start(loopwright: &Path, url: &str, folder: &Path) -> anyhow::Result<Self> {
        let address = free_address().await?;
        let log = File::create(folder.join("serve.log"))?;
        let mut process = Command::new(loopwright)
            .arg("serve")
            .args(["--listen", &address.to_string()])
            .arg("--data-dir")
            .arg(folder)
            .env("DATABASE_URL", url)
            // A line for each request would be measured with it; it is off unless somebody asks.
            .env("RUST_LOG", "warn")
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", loopwright.display()))?;
        let pid = process.id().context("the service ended at once")?;
        let end = Instant::now() + START_LIMIT;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = process.try_wait()? {
                let log = std::fs::read_to_string(folder.join("serve.log")).unwrap_or_default();
                bail!("the service ended ({status}): {log}");
            }
            if Instant::now() > end {
                bail!("the service does not listen after {} s", START_LIMIT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Self { process, address, pid })
    }

    /// Ends it at once: what it acknowledged is in the database, and that is looked at next.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.process.kill().await.context("cannot end the service")
    }
}

/// Brings the database at `url` to the schema of that very binary.
pub async fn migrate(loopwright: &Path, url: &str) -> anyhow::Result<()> {
    let output = Command::new(loopwright).arg("migrate").env("DATABASE_URL", url).output().await?;
    if !output.status.success() {
        bail!("cannot migrate: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A port of the loopback that is free now.
async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?)
}
