//! pgbench on the same cluster: what PostgreSQL itself can do here, and what a queue costs that is written the usual
//! way.

use crate::databases::Cluster;
use anyhow::{Context, bail};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

const DATABASE: &str = "bench_reference";
/// Rows that are updated, one at a time and at random.
const ACCOUNTS: u32 = 100_000;
/// Jobs that are ready a second that is measured; more than any machine does.
const JOBS_PER_SECOND: u64 = 40_000;

/// U: one row is updated by its key; each update is a transaction.
const UPDATE: Script = Script {
    clients: 32,
    text: "\\set id random(1, 100000)\n\
           update account set balance = balance + 1 where id = :id;\n",
};

/// L: a job is leased, then completed; each is a transaction.
const LEASE: Script = Script {
    clients: 8,
    text: "update work set state = 'leased', token = gen_random_uuid(), leased_at = now() \
           where id = (select id from work where state = 'ready' order by id limit 1 for update skip locked) \
           returning id, token \\gset\n\
           update work set state = 'done' where id = :id and token = :token::uuid;\n",
};

#[derive(Clone, Copy, Debug)]
struct Script {
    clients: u32,
    text: &'static str,
}

/// pgbench and where it connects.
#[derive(Debug)]
pub struct Pgbench {
    cluster: Cluster,
    binary: PathBuf,
}

impl Pgbench {
    /// `binaries`: the folder of PostgreSQL's programs.
    pub fn at(cluster: &Cluster, binaries: &Path) -> Self {
        Self { cluster: cluster.clone(), binary: binaries.join("pgbench") }
    }

    /// Updates a second.
    pub async fn update(&self, window: Duration) -> anyhow::Result<f64> {
        self.prepare(&format!(
            "create table account (id integer primary key, balance bigint not null);
             insert into account select id, 0 from generate_series(1, {ACCOUNTS}) as id;"
        ))
        .await?;
        self.run(UPDATE, window).await
    }

    /// Jobs a second.
    pub async fn lease(&self, window: Duration) -> anyhow::Result<f64> {
        let jobs = JOBS_PER_SECOND * window.as_secs().max(1);
        self.prepare(&format!(
            "create table work (
                 id bigint generated always as identity primary key,
                 state text not null,
                 token uuid,
                 leased_at timestamptz
             );
             insert into work (state) select 'ready' from generate_series(1, {jobs});
             create index work_ready on work (id) where state = 'ready';"
        ))
        .await?;
        self.run(LEASE, window).await
    }

    async fn prepare(&self, schema: &str) -> anyhow::Result<()> {
        self.cluster.make(DATABASE, None).await?;
        let pool = self.cluster.pool(DATABASE).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(schema.to_owned())).execute(&pool).await?;
        sqlx::raw_sql("vacuum analyze").execute(&pool).await?;
        pool.close().await;
        self.cluster.checkpoint().await
    }

    async fn run(&self, script: Script, window: Duration) -> anyhow::Result<f64> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(script.text.as_bytes())?;
        let (socket, user) = self.cluster.socket()?;
        let output = Command::new(&self.binary)
            .args(["--host", &socket, "--username", &user, "--no-vacuum", "--protocol", "prepared"])
            .args(["--client", &script.clients.to_string(), "--jobs", "2"])
            .args(["--time", &window.as_secs().max(1).to_string()])
            .arg("--file")
            .arg(file.path())
            .arg(DATABASE)
            .output()
            .await
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("pgbench failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        }
        self.cluster.drop(DATABASE).await?;
        transactions_per_second(&text).with_context(|| format!("pgbench did not say how fast it was: {text}"))
    }
}

/// Without the time to connect.
fn transactions_per_second(output: &str) -> Option<f64> {
    let line = output.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pgbench_says_its_rate_in_one_line() {
        let output = "latency average = 1.7 ms\ninitial connection time = 30 ms\n\
                      tps = 18512.250000 (without initial connection time)\n";
        assert_eq!(transactions_per_second(output), Some(18512.25));
        assert_eq!(transactions_per_second("no"), None);
    }
}
