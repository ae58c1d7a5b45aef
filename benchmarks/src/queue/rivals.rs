//! Other queues in PostgreSQL, from npm, each over a database of its own: `benchmarks/rivals/`.

use crate::databases::Cluster;
use anyhow::{Context, bail};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Command;

const DATABASE: &str = "bench_rival";
/// Filling included.
const LIMIT: Duration = Duration::from_secs(180);

/// Where they are installed, and what runs them.
#[derive(Clone, Debug)]
pub struct Rivals {
    pub folder: PathBuf,
    pub node: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Said {
    jobs: f64,
    seconds: f64,
}

impl Rivals {
    /// Jobs a second that `script` does with `jobs` of them.
    pub async fn measure(&self, cluster: &Cluster, script: &str, jobs: u64) -> anyhow::Result<f64> {
        cluster.make(DATABASE, None).await?;
        cluster.checkpoint().await?;
        let ran = Command::new(&self.node)
            .arg(self.folder.join(script))
            .arg(jobs.to_string())
            .current_dir(&self.folder)
            .env("DATABASE_URL", cluster.url(DATABASE)?)
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(LIMIT, ran)
            .await
            .with_context(|| format!("{script} did not end"))?
            .with_context(|| format!("cannot start {}", self.node.display()))?;
        if !output.status.success() {
            bail!("{script} failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        cluster.drop(DATABASE).await?;
        let said: Said = serde_json::from_slice(&output.stdout).with_context(|| format!("of {script}"))?;
        Ok(said.jobs / said.seconds)
    }
}
