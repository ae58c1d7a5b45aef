//! A database with benches, libraries and campaigns, and the service over it.

use super::campaign::{self, Shape};
use super::crew::{Crew, Hand};
use super::devices::Device;
use super::learner::Learner;
use super::world::{self, World};
use crate::databases::Cluster;
use crate::service::{self, Service};
use anyhow::{Context, bail};
use jobs::Digest;
use jobs::work::Kind;
use orchestrator::campaigns::create::{CreateCampaign, Created, create};
use orchestrator::campaigns::{Pool, Spec};
use orchestrator::ids::{ActorId, DEFAULT_PROJECT};
use orchestrator::inventory;
use orchestrator::store::blobs::Blobs;
use orchestrator::store::instruments::{Registration, register};
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Each ground has a database of its own, which stays: see [`Ground::end`].
static DATABASES: AtomicU32 = AtomicU32::new(0);
/// More than any table of a campaign.
const LARGEST_BLOB_BYTES: u64 = 1 << 30;
/// For the trainings that the last rounds asked for.
const LAST_JOBS: Duration = Duration::from_secs(60);
/// Blank plates beside those that are needed.
const SPARE_PLATES: usize = 2;

/// A laboratory and whoever works in it.
pub struct Ground {
    pub pool: PgPool,
    pub url: String,
    pub service: Service,
    pub folder: TempDir,
    /// Reads everything.
    pub reader: String,
    /// Makes campaigns.
    person: ActorId,
    world: World,
    hands: Vec<(String, &'static str, Option<String>, String)>,
}

impl Ground {
    /// A fresh database, migrated, with the service over it.
    pub async fn prepare(cluster: &Cluster, loopwright: &Path) -> anyhow::Result<Self> {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let database = format!("bench_loop_{}_{number}", std::process::id());
        cluster.make(&database, None).await?;
        let url = cluster.url(&database)?;
        service::migrate(loopwright, &url).await?;
        let pool = cluster.pool(&database).await?;
        let mut conn = pool.acquire().await?;
        let (person, reader) = actor(&mut conn, "bench-person", ActorKind::Person, Scope::Read).await?;
        drop(conn);
        let folder = tempfile::tempdir()?;
        let service = Service::start(loopwright, &url, folder.path()).await?;
        Ok(Self { pool, url, service, folder, reader, person, world: World::default(), hands: Vec::new() })
    }

    /// A bench, registered: its devices come with the crew.
    pub async fn add_bench(&mut self, bench: usize) -> anyhow::Result<()> {
        let mut conn = self.pool.acquire().await?;
        for (capability, name) in campaign::devices(bench) {
            let registration = Registration {
                capabilities: vec![capability.to_owned()],
                profile: profile(capability),
                state: None,
            };
            register(&mut conn, &name, &registration).await?;
            let (_, token) = actor(&mut conn, &name, ActorKind::Agent, Scope::WorkBench).await?;
            self.hands.push((name.clone(), capability, Some(name), token));
        }
        Ok(())
    }

    /// Of some agent that is not at work yet; empty without any.
    pub fn any_agent_token(&self) -> &str {
        self.hands.first().map_or("", |(.., token)| token)
    }

    pub async fn add_learners(&mut self, count: usize) -> anyhow::Result<()> {
        let mut conn = self.pool.acquire().await?;
        for number in 0..count {
            let name = format!("learner-{number}");
            let (_, token) = actor(&mut conn, &name, ActorKind::Learner, Scope::WorkLearn).await?;
            self.hands.push((name, "", None, token));
        }
        Ok(())
    }

    /// Stocks a bench with what a campaign of `shape` needs.
    pub async fn stock(&mut self, bench: usize, shape: &Shape) -> anyhow::Result<()> {
        let mut conn = self.pool.acquire().await?;
        let library = self.world.stock_library(bench, shape.genes);
        inventory::library(&mut conn, library.as_bytes()).await??;
        let blanks = World::stock_blanks(bench, shape.plates() + SPARE_PLATES);
        inventory::assay_plates(&mut conn, blanks.as_bytes()).await??;
        Ok(())
    }

    /// Enters the campaign of a bench: its first round begins.
    pub async fn begin_campaign(&self, bench: usize, shape: &Shape) -> anyhow::Result<()> {
        let toml = campaign::file(bench, shape);
        let spec = Spec::parse(&toml).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let genes: Vec<String> = (0..shape.genes).map(|number| world::gene(bench, number)).collect();
        let pool = Pool::expand(&spec.design, &format!("gene\n{}\n", genes.join("\n")))
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let (pool_size, genes) = (pool.size(), pool.tagged_genes());
        let new = CreateCampaign {
            project: DEFAULT_PROJECT,
            spec,
            toml,
            pool: self.put_blob(pool.to_csv()).await?,
            pool_size,
            genes,
            features: Vec::new(),
            priors: Vec::new(),
            seed: u64::try_from(bench)? + 1,
        };
        let mut conn = self.pool.acquire().await?;
        match create(&mut conn, new, self.person).await? {
            Created::Created(_) => Ok(()),
            Created::NameTaken(_) => bail!("bench {bench} has a campaign already"),
        }
    }

    async fn put_blob(&self, csv: Vec<u8>) -> anyhow::Result<Digest> {
        let blobs = Blobs::local(self.folder.path(), LARGEST_BLOB_BYTES)?;
        Ok(blobs.put_bytes(&self.pool, csv.into(), "text/csv", self.person).await?)
    }

    /// Sets everybody to work; `takes`: how long each job of a device takes.
    pub fn work(&mut self, takes: Duration) -> anyhow::Result<Crew> {
        let device = Arc::new(Device { world: Arc::new(std::mem::take(&mut self.world)), takes });
        let learner = Arc::new(Learner::default());
        let hands = self.hands.drain(..).map(|(name, capability, instrument, token)| match instrument {
            Some(_) => Hand {
                name,
                queue: Kind::Move.queue(),
                capabilities: vec![capability.to_owned()],
                instrument,
                token,
                handler: device.clone(),
            },
            None => Hand {
                name,
                queue: Kind::Train.queue(),
                capabilities: [Kind::Train, Kind::Propose].map(|kind| kind.capability().to_owned()).to_vec(),
                instrument,
                token,
                handler: learner.clone(),
            },
        });
        Crew::work(hands.collect(), self.service.address, &self.folder.path().join("spool"))
    }

    /// Until no campaign runs. Errors when a round needs a person: none is here.
    pub async fn until_finished(&self) -> anyhow::Result<()> {
        loop {
            if let Some(why) = self.stuck().await? {
                bail!("a round is held: {why}");
            }
            let running: i64 = sqlx::query_scalar("select count(*) from campaign where state = 'active'")
                .fetch_one(&self.pool)
                .await?;
            if running == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Until every job has ended; an error where one has not within [`LAST_JOBS`].
    pub async fn until_settled(&self) -> anyhow::Result<()> {
        let from = Instant::now();
        loop {
            let open: i64 = sqlx::query_scalar(
                "select count(*) from job where not exists (select from job_outcome where job_id = job.id)",
            )
            .fetch_one(&self.pool)
            .await?;
            if open == 0 {
                return Ok(());
            }
            if from.elapsed() > LAST_JOBS {
                bail!("{open} jobs have not ended {} s after the last campaign", LAST_JOBS.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Why a round is held, if one is.
    pub async fn stuck(&self) -> anyhow::Result<Option<String>> {
        let reason: Option<Option<String>> =
            sqlx::query_scalar("select reason from round where state in ('held', 'failed') limit 1")
                .fetch_optional(&self.pool)
                .await?;
        Ok(reason.flatten())
    }

    /// Lines that the service wrote: at `warn`, each is something that went wrong.
    pub fn log(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(self.folder.path().join("serve.log")).context("cannot read the service's log")
    }

    /// Ends the service. Answers its folder, to be kept until nothing is measured any more, as its database is: ext4
    /// does not use the place of a file again that was deleted minutes ago, and passes over each such place for every
    /// file that is made. A sixth of all processor time went there when spools were deleted between measurements.
    pub async fn end(self) -> anyhow::Result<TempDir> {
        self.pool.close().await;
        self.service.kill().await?;
        Ok(self.folder)
    }
}

/// As the demo's devices; see `orchestrator/src/demo/bring_up.rs`.
fn profile(capability: &str) -> Value {
    let slots = |range: std::ops::RangeInclusive<u32>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    match capability {
        "dispense.liquid" => {
            json!({"destination_slot": "1", "source_slots": slots(2..=9), "tip_rack_slots": ["10", "11"], "tips_per_rack": 96})
        }
        "incubate.plate" => json!({"slots": slots(1..=44)}),
        "read.plate" => json!({"slots": ["1"]}),
        _ => json!({}),
    }
}

async fn actor(
    conn: &mut PgConnection,
    name: &str,
    kind: ActorKind,
    scope: Scope,
) -> anyhow::Result<(ActorId, String)> {
    let new = NewToken {
        actor: name.to_owned(),
        kind,
        scopes: vec![scope],
        label: "bench-loop".to_owned(),
        valid_hours: 24,
    };
    let created = tokens::create(conn, &new).await?;
    Ok((created.actor, created.secret))
}
