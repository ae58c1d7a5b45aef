//! A laboratory in the test's hand: it plays learner, mover, handler, incubator and reader through the queue's
//! own commands, with plates that really stand somewhere and wells that really hold something. A picklist or a
//! move that is wrong fails here as it would on a bench.

mod hands;
pub mod learner;
pub mod world;

pub use hands::Fault;

use crate::support::as_application;
use chrono::{DateTime, Utc};
use jobs::Digest;
use orchestrator::campaigns::create::{CreateCampaign, Created, create};
use orchestrator::campaigns::{Pool, Spec};
use orchestrator::engine::Engine;
use orchestrator::ids::{ActorId, CampaignId, DEFAULT_PROJECT, RoundId};
use orchestrator::people::Visible;
use orchestrator::queue::Wakeups;
use orchestrator::rounds::{Progress, progress};
use orchestrator::store::blobs::Blobs;
use orchestrator::store::instruments::{Registration, register};
use orchestrator::store::plates::Plate;
use orchestrator::store::rounds::Round;
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use orchestrator::{inventory, store};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::collections::VecDeque;
use tempfile::TempDir;
use world::World;

pub const LABWARE: &str = "nest_96_wellplate_200ul_flat";
const SOURCES: &str = "corning_384_wellplate_112ul_flat";
/// More steps than any of these campaigns takes.
const STEPS: usize = 2_000;

pub struct Laboratory {
    pub engine: Engine,
    pub pool: PgPool,
    pub campaign: CampaignId,
    pub worker: ActorId,
    pub person: ActorId,
    pub world: World,
    /// What happens to the next jobs of a kind, first to last.
    pub faults: VecDeque<Fault>,
    _blobs: TempDir,
}

/// Settings of a test campaign.
pub struct Settings {
    pub genes: usize,
    pub batch: u32,
    pub rounds: u32,
    pub auto_approve: bool,
    pub approvals: u32,
    /// Further lines of `[acquisition]`.
    pub acquisition: &'static str,
    /// What calls hits.
    pub hit: &'static str,
    /// Further lines of `[budget]`.
    pub budget: &'static str,
    /// Further lines of `[policy]`.
    pub policy: &'static str,
    /// Who carries plates: `mover-1`, or `people`.
    pub mover: &'static str,
    /// Further sections of the campaign file.
    pub sections: &'static str,
    /// The column `tags` of a gene.
    pub tags: fn(usize) -> &'static str,
    /// Blank plates in storage.
    pub blanks: usize,
    /// In each source well.
    pub volume_nl: u32,
    /// What stands under `[schedule]`.
    pub schedule: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            genes: 60,
            batch: 12,
            rounds: 2,
            auto_approve: true,
            approvals: 1,
            acquisition: "",
            hit: "{ channel = \"call\" }",
            budget: "",
            policy: "",
            mover: "mover-1",
            sections: "",
            tags: |_| "",
            blanks: 12,
            volume_nl: 60_000,
            schedule: "every_hours = 168.0",
        }
    }
}

impl Laboratory {
    pub async fn new(options: PgPoolOptions, login: PgConnectOptions, settings: Settings) -> Self {
        let pool = as_application(options, login).await;
        let dir = tempfile::tempdir().expect("a folder for blobs");
        let blobs = Blobs::local(dir.path(), 1 << 24).expect("a blob store");
        let engine = Engine::new(pool.clone(), blobs, Wakeups::default());
        let mut conn = pool.acquire().await.expect("a connection");
        let start: DateTime<Utc> = "2026-01-05T08:00:00Z".parse().expect("an instant");
        store::clock::set_jumping(&mut conn, start).await.expect("a clock that jumps");
        for (name, capabilities, profile) in instruments() {
            let registration = Registration { capabilities, profile, state: None };
            register(&mut conn, name, &registration).await.expect("an instrument");
        }
        let worker = actor(&mut conn, "bench", ActorKind::Agent).await;
        let person = actor(&mut conn, "ada", ActorKind::Person).await;
        let world = World::new(settings.genes);
        let campaign = campaign(&mut conn, &engine, &settings, person).await;
        let mut laboratory =
            Self { engine, pool, campaign, worker, person, world, faults: VecDeque::new(), _blobs: dir };
        laboratory.stock(settings.blanks, settings.volume_nl).await;
        laboratory
    }

    /// Brings blank plates and a full library.
    pub async fn stock(&mut self, blanks: usize, volume_nl: u32) {
        let mut conn = self.pool.acquire().await.expect("a connection");
        let library = self.world.stock_library(SOURCES, volume_nl);
        inventory::library(&mut conn, library.as_bytes()).await.expect("stored").expect("a library");
        let plates = self.world.stock_blanks(LABWARE, blanks);
        inventory::assay_plates(&mut conn, plates.as_bytes()).await.expect("stored").expect("plates");
    }

    /// Lets the engine go as far as it can, and fails on any error of it.
    pub async fn settle(&self) {
        let error = self.engine.settle_down().await.error;
        if let Some(error) = error {
            panic!(
                "the engine failed: {error} ({:?})",
                std::error::Error::source(&error).map(ToString::to_string)
            );
        }
    }

    /// Engine, clock and workers in turn, until nothing moves. Answers how many jobs were worked on.
    pub async fn run(&mut self) -> usize {
        let mut worked = 0;
        for _ in 0..STEPS {
            self.settle().await;
            if self.work().await {
                worked += 1;
            } else if self.engine.jump().await.expect("a clock").is_none() {
                self.promote().await;
                if !self.work().await {
                    return worked;
                }
                worked += 1;
            }
        }
        panic!("the campaign does not come to rest: {:#?}", self.progress().await);
    }

    pub async fn promote(&self) {
        let mut conn = self.pool.acquire().await.expect("a connection");
        store::jobs::promote(&mut conn, 500).await.expect("promoted");
    }

    pub async fn progress(&self) -> Progress {
        let mut conn = self.pool.acquire().await.expect("a connection");
        progress(&mut conn, self.campaign).await.expect("read").expect("a campaign")
    }

    pub async fn rounds(&self) -> Vec<Round> {
        let mut conn = self.pool.acquire().await.expect("a connection");
        store::rounds::of_campaign(&mut conn, self.campaign).await.expect("rounds")
    }

    pub async fn last_round(&self) -> Round {
        self.rounds().await.pop().expect("a round")
    }

    pub async fn plates(&self, round: RoundId) -> Vec<Plate> {
        let mut conn = self.pool.acquire().await.expect("a connection");
        store::plates::of_round(&mut conn, round).await.expect("plates")
    }

    pub async fn open_tasks(&self) -> Vec<String> {
        let mut conn = self.pool.acquire().await.expect("a connection");
        let tasks = store::tasks::list(&mut conn, &Visible::All, true, None, 100).await.expect("tasks");
        tasks.into_iter().map(|task| task.cause).collect()
    }

    /// A single number out of the database, for what has no other door.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("a count")
    }

    pub async fn event_kinds(&self) -> Vec<String> {
        sqlx::query_scalar("select kind from event order by id").fetch_all(&self.pool).await.expect("events")
    }

    /// Moves laboratory time by hand, as it passes in a laboratory whatever is going on.
    pub async fn pass_until(&self, lab_at: &str) {
        let mut conn = self.pool.acquire().await.expect("a connection");
        let lab_at = lab_at.parse().expect("an instant");
        store::clock::jump_to(&mut conn, lab_at).await.expect("a jumping clock");
    }

    /// Ticks that were judged: wall time, state, code of the reason.
    pub async fn ticks(&self) -> Vec<String> {
        let mut conn = self.pool.acquire().await.expect("a connection");
        let ticks = store::ticks::of_campaign(&mut conn, self.campaign).await.expect("ticks");
        ticks
            .iter()
            .map(|tick| {
                format!("{} {} {}", tick.wall.format("%m-%d %H:%M"), tick.state.as_str(), tick.reason_code)
            })
            .collect()
    }

    pub async fn lab_now(&self) -> DateTime<Utc> {
        let mut conn = self.pool.acquire().await.expect("a connection");
        store::clock::lab_now(&mut conn).await.expect("a clock")
    }
}

fn instruments() -> [(&'static str, Vec<String>, serde_json::Value); 4] {
    let slots = |count: u32| (1..=count).map(|slot| slot.to_string()).collect::<Vec<_>>();
    [
        (
            "handler-1",
            vec!["dispense.liquid".into()],
            json!({"destination_slot": "1", "source_slots": ["2", "3", "4", "5", "6", "7", "8", "9"],
                   "tip_rack_slots": ["10", "11"], "tips_per_rack": 96}),
        ),
        ("incubator-1", vec!["incubate.plate".into()], json!({"slots": slots(44)})),
        ("reader-1", vec!["read.plate".into()], json!({"slots": ["1"]})),
        ("mover-1", vec!["move.plate".into()], json!({})),
    ]
}

pub async fn actor(conn: &mut sqlx::PgConnection, name: &str, kind: ActorKind) -> ActorId {
    let new = NewToken {
        actor: name.to_owned(),
        kind,
        scopes: vec![Scope::Read],
        label: "test".to_owned(),
        valid_hours: 1,
    };
    tokens::create(conn, &new).await.expect("a token");
    sqlx::query_scalar("select id from actor where name = $1")
        .bind(name)
        .fetch_one(conn)
        .await
        .map(ActorId)
        .expect("an actor")
}

async fn campaign(
    conn: &mut sqlx::PgConnection,
    engine: &Engine,
    settings: &Settings,
    by: ActorId,
) -> CampaignId {
    let toml = toml(settings);
    let spec = Spec::parse(&toml).expect("a campaign file");
    let genes: String = std::iter::once("gene,tags\n".to_owned())
        .chain((0..settings.genes).map(|gene| format!("{},{}\n", world::gene(gene), (settings.tags)(gene))))
        .collect();
    let pool = Pool::expand(&spec.design, &genes).expect("a design space");
    let (csv, pool_size, genes) = (pool.to_csv(), pool.size(), pool.tagged_genes());
    let pool: Digest =
        engine.blobs.put_bytes(&engine.pool, csv.into(), "text/csv", by).await.expect("the pool is stored");
    let new = CreateCampaign {
        project: DEFAULT_PROJECT,
        spec,
        toml,
        pool,
        pool_size,
        genes,
        features: Vec::new(),
        priors: Vec::new(),
        seed: 7,
    };
    match create(conn, new, by).await.expect("created") {
        Created::Created(id) => id,
        Created::NameTaken(_) => panic!("a fresh database has no campaign"),
    }
}

fn toml(settings: &Settings) -> String {
    let Settings {
        acquisition,
        hit,
        batch,
        rounds,
        auto_approve,
        approvals,
        budget,
        policy,
        mover,
        sections,
        schedule,
        ..
    } = settings;
    format!(
        r#"
name = "scripted"
goal = "A campaign that a test can play by hand."

[design]
genes_file = "genes.csv"
contexts = ["donor-1"]

[objective]
readout = "signal"
channel = "signal"
direction = "maximise"
hit = {hit}

[model]
family = "bayesian_linear"

[acquisition]
name = "greedy"
{acquisition}

[assay]
labware = "{LABWARE}"
replicates = 2
transfer_volume_nl = 2000
incubate_hours = 72.0
read_window_hours = 4.0
temperature_celsius = 37.0
co2_percent = 5.0

[controls]
negative = {{ content = "NEG", wells = 6 }}
positive = {{ content = "POS", wells = 6 }}

[budget]
rounds = {rounds}
batch = {batch}
runners_up = 8
{budget}

[schedule]
{schedule}

[policy]
approvals = {approvals}
auto_approve = {auto_approve}
{policy}
{sections}
[bench]
handler = "handler-1"
incubator = "incubator-1"
reader = "reader-1"
mover = "{mover}"
"#
    )
}
