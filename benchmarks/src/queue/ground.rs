//! What every measurement of ours begins with: a migrated database with a token for each worker, jobs in it, and the
//! service over it.

use super::worker::instrument;
use super::workers::{Crew, Way};
use crate::databases::Cluster;
use crate::service::Service;
use anyhow::Context;
use jobs::work::Kind;
use jobs::work::physical::{Location, Move, PlateMove, PlateRef};
use jobs::{JobId, Work};
use orchestrator::store;
use orchestrator::store::jobs::NewJob;
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use sqlx::PgPool;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

const TEMPLATE: &str = "bench_template";
const DATABASE: &str = "bench_queue";
/// Tokens that are made; as many workers can be measured.
pub const MOST_WORKERS: usize = 1000;
/// Jobs entered in one statement.
const CHUNK: usize = 10_000;

/// Where databases are copied from.
#[derive(Debug)]
pub struct Ground {
    pub cluster: Cluster,
    loopwright: PathBuf,
    /// One for each worker, as each agent has its own.
    tokens: Vec<String>,
    own_instruments: bool,
}

impl Ground {
    /// Migrates the template; makes tokens, and an instrument for each of them.
    pub async fn prepare(cluster: Cluster, loopwright: &Path, own_instruments: bool) -> anyhow::Result<Self> {
        cluster.make(TEMPLATE, None).await?;
        store::migrate(&cluster.url(TEMPLATE)?).await?;
        let pool = cluster.pool(TEMPLATE).await?;
        let tokens = make_tokens(&pool).await?;
        register_instruments(&pool).await?;
        sqlx::raw_sql("vacuum analyze").execute(&pool).await?;
        pool.close().await;
        Ok(Self { cluster, loopwright: loopwright.to_owned(), tokens, own_instruments })
    }

    /// Workers who take what there is, without a pause.
    pub fn busy_crew(&self, serving: &Serving, workers: usize, way: Way, starts: bool) -> Crew {
        Crew {
            address: serving.service.address,
            tokens: self.tokens[..workers].to_vec(),
            way,
            starts,
            own_instruments: self.own_instruments,
            wait_seconds: 5,
            leaves_waiting: false,
        }
    }

    /// Workers who wait for work, asking as agents do.
    pub fn waiting_crew(&self, serving: &Serving, workers: usize) -> Crew {
        Crew {
            wait_seconds: 30,
            leaves_waiting: true,
            ..self.busy_crew(serving, workers, Way::Separate, false)
        }
    }

    /// One for each worker.
    pub(crate) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// One that does nothing but ask.
    pub fn token(&self) -> &str {
        &self.tokens[0]
    }

    /// A database of its own with `jobs` ready ones, on disk.
    pub async fn database(&self, jobs: usize) -> anyhow::Result<Database> {
        self.cluster.make(DATABASE, Some(TEMPLATE)).await?;
        let pool = self.cluster.pool(DATABASE).await?;
        let mut database = Database { url: self.cluster.url(DATABASE)?, pool, filled: 0 };
        database.fill(jobs).await?;
        sqlx::raw_sql("analyze").execute(&database.pool).await?;
        self.cluster.checkpoint().await?;
        Ok(database)
    }

    /// The service over `database`.
    pub async fn serve(&self, database: &Database) -> anyhow::Result<Serving> {
        let folder = tempfile::tempdir()?;
        let service = Service::start(&self.loopwright, &database.url, folder.path()).await?;
        Ok(Serving { service, _folder: folder })
    }
}

/// The service with its files.
#[derive(Debug)]
pub struct Serving {
    pub service: Service,
    _folder: TempDir,
}

/// A database of one measurement.
#[derive(Debug)]
pub struct Database {
    pub url: String,
    pub pool: PgPool,
    /// Jobs entered since it was made.
    pub filled: usize,
}

impl Database {
    /// Enters `count` jobs, ready at once.
    ///
    /// In bulk, as copies of one that went through [`store::jobs::create`]: filling is not what is measured here.
    pub async fn fill(&mut self, count: usize) -> anyhow::Result<()> {
        if count == 0 {
            return Ok(());
        }
        let first = NewJob::new(work());
        let mut conn = self.pool.acquire().await?;
        let mut tx = orchestrator::store::begin(&mut conn).await?;
        store::jobs::create(&mut tx, &first).await?;
        tx.commit().await?;
        let mut left = count - 1;
        while left > 0 {
            let ids: Vec<Uuid> = (0..left.min(CHUNK)).map(|_| JobId::fresh().0).collect();
            sqlx::query(FILL).bind(&ids).bind(first.id.0).execute(&mut *conn).await.context("cannot fill")?;
            left -= ids.len();
        }
        self.filled += count;
        Ok(())
    }
}

/// `$1`: ids of the new jobs; `$2`: the job they are like, or were like when it was ready.
const FILL: &str = "with entered as (
         insert into job (id, kind, queue, capability, instrument, priority, repeatable, max_attempts, payload)
         select fresh.id, kind, queue, capability, instrument, priority, repeatable, max_attempts, payload
         from job, unnest($1::uuid[]) as fresh (id)
         where job.id = $2
         returning id, queue, capability, instrument, priority
     )
     insert into job_ready (job_id, queue, capability, instrument, priority)
     select id, queue, capability, instrument, priority
     from entered
     order by id";

/// A small job of the bench that belongs to no round: the engine draws its settlement, and nothing follows from it.
pub fn work() -> Work {
    let at = |device: &str, slot: &str| Location { device: device.to_owned(), slot: slot.to_owned() };
    let plate =
        PlateRef { barcode: "BENCH-0001".to_owned(), labware: "corning_384_wellplate_112ul_flat".to_owned() };
    let plate_move = PlateMove { plate, from: at("storage", "BENCH-0001"), to: at("reader", "A1") };
    Work::Move(Move { moves: vec![plate_move] })
}

async fn register_instruments(pool: &PgPool) -> anyhow::Result<()> {
    let names: Vec<String> = (0..MOST_WORKERS).map(instrument).collect();
    sqlx::query(
        "insert into instrument (name, capabilities) select name, $2 from unnest($1::text[]) as name",
    )
    .bind(&names)
    .bind([Kind::Move.capability()])
    .execute(pool)
    .await?;
    Ok(())
}

async fn make_tokens(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    let mut tx = orchestrator::store::begin_on(pool).await?;
    let mut secrets = Vec::new();
    for number in 0..MOST_WORKERS {
        let new = NewToken {
            actor: format!("bench-worker-{number}"),
            kind: ActorKind::Agent,
            scopes: vec![Scope::WorkBench],
            label: "bench-queue".to_owned(),
            valid_hours: 24,
        };
        secrets.push(tokens::create(&mut tx, &new).await?.secret);
    }
    tx.commit().await?;
    Ok(secrets)
}
