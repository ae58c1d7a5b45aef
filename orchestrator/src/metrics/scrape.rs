//! One scrape: the process's own numbers, and the database's, read at most once in a while and never waited for long.

use super::machine::Machine;
use super::{counted, database};
use crate::store;
use crate::store::telemetry::{self, Sample};
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// Scrapes within this time see the same reading: many scrapers cost the database no more than one.
const FRESH: Duration = Duration::from_secs(5);
/// Then a scrape goes on without the database, and says so (`loopwright_database_up`).
const PATIENCE: Duration = Duration::from_secs(3);

/// What was read, and when.
type Reading = (Instant, Vec<Sample>);

/// Reads the database for scrapes. Cheap to clone; clones share the last reading.
#[derive(Clone, Debug)]
pub struct Scraper {
    pool: PgPool,
    /// What connections are for, and where they are.
    pools: Vec<(&'static str, PgPool)>,
    last: Arc<Mutex<Option<Reading>>>,
}

impl Scraper {
    pub fn new(pool: PgPool) -> Self {
        Self { pools: vec![("requests", pool.clone())], pool, last: Arc::default() }
    }

    /// Counts the connections of another pool too.
    pub fn counting(mut self, what_for: &'static str, pool: PgPool) -> Self {
        self.pools.push((what_for, pool));
        self
    }

    /// Everything, in Prometheus's text format.
    pub async fn text(&self) -> String {
        let mut registry = Registry::with_prefix("loopwright");
        counted().register(&mut registry);
        self.register_pools(&mut registry);
        register_build(&mut registry);
        let read = self.read().await;
        let stages = read.as_deref().map(database::round_stages).unwrap_or_default();
        let up: ConstGauge<i64> = ConstGauge::new(i64::from(read.is_some()));
        registry.register("database_up", "1: the database answered this scrape in time", up);
        if let Some(samples) = read {
            database::register(&samples, &mut registry);
        }
        let mut machine = Registry::default();
        register_machine(&mut machine);
        let mut text = String::new();
        for registry in [registry, machine] {
            encode(&mut text, &registry).expect("a string takes whatever is written");
        }
        text + &stages
    }

    async fn read(&self) -> Option<Vec<Sample>> {
        let mut last = self.last.lock().await;
        if let Some((_, samples)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Some(samples.clone());
        }
        let reading = async {
            let mut conn = self.pool.acquire().await?;
            telemetry::samples(&mut conn).await
        };
        let read: Result<store::Result<Vec<Sample>>, _> = tokio::time::timeout(PATIENCE, reading).await;
        match read {
            Ok(Ok(samples)) => {
                *last = Some((Instant::now(), samples.clone()));
                Some(samples)
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, code = error.code(), "a scrape goes on without the database");
                None
            }
            Err(_) => {
                tracing::warn!("a scrape goes on without the database, which did not answer in time");
                None
            }
        }
    }

    fn register_pools(&self, registry: &mut Registry) {
        let connections: Family<[(&str, &str); 2], Gauge<f64, AtomicU64>> = Family::default();
        let most: Family<[(&str, &str); 1], Gauge<i64, AtomicI64>> = Family::default();
        for (what_for, pool) in &self.pools {
            let (idle, all) = (pool.num_idle() as f64, f64::from(pool.size()));
            let in_state = |state| connections.get_or_create_owned(&[("pool", *what_for), ("state", state)]);
            in_state("idle").set(idle);
            in_state("in_use").set((all - idle).max(0.0));
            most.get_or_create(&[("pool", *what_for)]).set(pool.options().get_max_connections().into());
        }
        registry.register("database_connections", "Connections of this process", connections);
        registry.register("database_connections_max", "The most there may be", most);
    }
}

fn register_build(registry: &mut Registry) {
    let info: Family<[(&str, String); 2], Gauge> = Family::default();
    let contract = jobs::CONTRACT_VERSION.to_string();
    info.get_or_create(&[("version", env!("CARGO_PKG_VERSION").to_owned()), ("contract", contract)]).set(1);
    registry.register("build_info", "Version of this process, and of the contract it speaks", info);
}

fn register_machine(registry: &mut Registry) {
    let Machine { resident_bytes, cpu_seconds, open_files } = Machine::now();
    if let Some(bytes) = resident_bytes {
        registry.register("process_resident_memory_bytes", "Resident memory", ConstGauge::new(bytes));
    }
    if let Some(seconds) = cpu_seconds {
        registry.register("process_cpu_seconds", "User and system time", ConstCounter::new(seconds));
    }
    if let Some(files) = open_files {
        registry.register("process_open_fds", "Open file descriptors", ConstGauge::new(files));
    }
}
