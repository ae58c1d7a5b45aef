//! A database with the rows of a laboratory that has worked for a while, made by SQL.

use super::words;
use crate::databases::Cluster;
use crate::service::Service;
use anyhow::Context;
use orchestrator::engine::Engine;
use orchestrator::queue::Wakeups;
use orchestrator::store::blobs::Blobs;
use orchestrator::store::{self, ConnectOptions};
use serde::Serialize;
use sqlx::{Connection, PgConnection, PgPool};
use std::path::PathBuf;
use tempfile::TempDir;

const ROWS: &str = include_str!("laboratory.sql");
const LARGEST_BLOB_BYTES: u64 = 4 << 30;

/// How much there is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Shape {
    pub campaigns: u64,
    /// Of each campaign; the last one is live.
    pub rounds: u64,
    /// Of each round.
    pub plates: u64,
    /// Experiments of each plate.
    pub samples: u64,
    /// Jobs of each plate.
    pub chain: u64,
    /// Of each campaign, the last rounds whose plate maps are kept.
    pub mapped: u64,
    /// Campaigns whose live round is about to close; of the others, one in five waits for approval.
    pub closing: u64,
    /// Experiments of the first campaign's newest posterior.
    pub pool: u64,
}

impl Shape {
    /// Of experiments whose rounds have closed, and a little more.
    pub fn observations(&self) -> u64 {
        self.campaigns * self.rounds * self.plates * self.samples
    }

    fn settings(&self) -> [(&'static str, u64); 8] {
        [
            ("campaigns", self.campaigns),
            ("rounds", self.rounds),
            ("plates", self.plates),
            ("samples", self.samples),
            ("chain", self.chain),
            ("mapped", self.mapped),
            ("closing", self.closing),
            ("pool", self.pool),
        ]
    }
}

/// Where databases are made, and what serves them.
#[derive(Clone, Debug)]
pub struct Ground {
    pub cluster: Cluster,
    pub loopwright: PathBuf,
}

/// A database, with the files of its blob store.
#[derive(Debug)]
pub struct Laboratory {
    pub name: String,
    pub url: String,
    pub pool: PgPool,
    pub folder: TempDir,
    cluster: Cluster,
}

impl Ground {
    /// Migrates a database, has `rows` written with `words` set, and waits until all of it is on the disk.
    pub async fn make(
        &self,
        name: &str,
        rows: &'static str,
        words: &[words::Word],
    ) -> anyhow::Result<Laboratory> {
        self.cluster.make(name, None).await?;
        let url = self.cluster.url(name)?;
        store::migrate(&url).await?;
        let mut conn = PgConnection::connect(&url).await?;
        fill(&mut conn, rows, words).await.with_context(|| format!("cannot fill {name}"))?;
        conn.close().await?;
        let laboratory = self.open(name).await?;
        sqlx::raw_sql("vacuum analyze").execute(&laboratory.pool).await?;
        self.cluster.checkpoint().await?;
        Ok(laboratory)
    }

    /// A laboratory of this shape.
    pub async fn laboratory(&self, name: &str, shape: &Shape) -> anyhow::Result<Laboratory> {
        eprintln!("  making {} observations ..", shape.observations());
        let mut all = words::all()?;
        all.extend(words::campaign("corning_384_wellplate_112ul_flat", 1)?);
        all.extend(shape.settings().map(|(name, number)| (name, number.to_string())));
        self.make(name, ROWS, &all).await
    }

    /// The database as it is.
    pub async fn open(&self, name: &str) -> anyhow::Result<Laboratory> {
        Ok(Laboratory {
            name: name.to_owned(),
            url: self.cluster.url(name)?,
            pool: self.cluster.pool(name).await?,
            folder: tempfile::tempdir()?,
            cluster: self.cluster.clone(),
        })
    }

    /// The service over it.
    pub async fn serve(&self, laboratory: &Laboratory) -> anyhow::Result<Service> {
        Service::start(&self.loopwright, &laboratory.url, laboratory.folder.path()).await
    }
}

impl Laboratory {
    /// The engine of the service, in this process.
    pub async fn engine(&self) -> anyhow::Result<Engine> {
        let pool = store::connect(&self.url, &ConnectOptions::of_the_engine()).await?;
        let blobs = Blobs::local(self.folder.path(), LARGEST_BLOB_BYTES)?;
        Ok(Engine::new(pool, blobs, Wakeups::default()))
    }

    /// Throws it away.
    pub async fn drop(self) -> anyhow::Result<()> {
        self.pool.close().await;
        self.cluster.drop(&self.name).await
    }
}

async fn fill(conn: &mut PgConnection, rows: &'static str, words: &[words::Word]) -> anyhow::Result<()> {
    let mut tx = orchestrator::store::begin(conn).await?;
    for (name, word) in words {
        sqlx::query("select set_config('growth.' || $1, $2, true)")
            .bind(name)
            .bind(word)
            .execute(&mut *tx)
            .await?;
    }
    sqlx::raw_sql(rows).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}
