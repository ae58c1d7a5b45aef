//! A run: rounds of everything, then what is measured once, then what is said of it.

use super::ground::{Ground, MOST_WORKERS};
use super::references::Pgbench;
use super::report::{self, Cost, Record};
use super::rivals::Rivals;
use super::throughput::{self, Case};
use super::workers::Way;
use super::{dispatch, enqueue, idle, snapshot, statements};
use crate::databases::Cluster;
use crate::figures::percentile;
use crate::machine::Machine;
use anyhow::Context;
use clap::Parser;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Measures Loopwright's queue beside PostgreSQL itself and other queues
#[derive(Clone, Debug, Parser)]
#[command(name = "bench-queue")]
pub struct Options {
    /// PostgreSQL URL of a superuser of a cluster that may be written to
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The binary of the service
    #[arg(long)]
    loopwright: PathBuf,
    /// Folder of PostgreSQL's programs
    #[arg(long)]
    postgres_bin: PathBuf,
    /// Folder in which the other queues are installed; they are skipped without it
    #[arg(long, requires = "node")]
    rivals: Option<PathBuf>,
    #[arg(long)]
    node: Option<PathBuf>,
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each measurement of throughput
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Seconds of each measurement of latency
    #[arg(long, default_value_t = 15)]
    dispatch_seconds: u64,
    /// Seconds of each measurement at rest
    #[arg(long, default_value_t = 20)]
    idle_seconds: u64,
    /// Seconds for which the snapshot is held open
    #[arg(long, default_value_t = 60)]
    snapshot_seconds: u64,
    /// Only rows whose keys begin so (U and L are always measured), separated by commas
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Each worker names an instrument of its own; otherwise none names any
    #[arg(long)]
    own_instruments: bool,
    /// Say which statements take the time
    #[arg(long)]
    statements: bool,
    /// Write everything to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Ways to complete and lease, by the key of their row.
const CASES: [(&str, Case); 8] = [
    ("together-1000", case(1000, Way::Together, false)),
    ("together-32", case(32, Way::Together, false)),
    ("separate-1000", case(1000, Way::Separate, false)),
    ("separate-32", case(32, Way::Separate, false)),
    ("together-start-1000", case(1000, Way::Together, true)),
    ("together-start-32", case(32, Way::Together, true)),
    ("separate-start-1000", case(1000, Way::Separate, true)),
    ("separate-start-32", case(32, Way::Separate, true)),
];

const fn case(workers: usize, way: Way, starts: bool) -> Case {
    Case { workers, way, starts }
}

/// Jobs a second that are prepared for what was not measured yet.
const GUESS: f64 = 12_000.0;
const NOT_THERE: &str = "not there yet";

/// Measures, prints the table, and writes the file that was asked for.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let cluster = Cluster::at(&options.database_url).await?;
    let machine = Machine::look(&cluster.folder().await?)?;
    println!(
        "{}, {} cores, {}, load {}",
        machine.processor, machine.cores, machine.file_system, machine.load
    );
    for setting in cluster.settings().await? {
        println!("{} = {}", setting.name, setting.value);
    }
    let mut bench = Bench::prepare(options, cluster).await?;
    for round in 1..=bench.options.rounds {
        bench.round().await.with_context(|| format!("in round {round}"))?;
    }
    if bench.wants("snapshot") {
        bench.snapshot().await?;
    }
    let statements = if bench.options.statements { Some(bench.statements().await?) } else { None };
    bench.say(&machine, statements).await
}

struct Bench {
    options: Options,
    ground: Ground,
    pgbench: Pgbench,
    rivals: Option<Rivals>,
    /// Whether a report can ask for the next job.
    gives_next: bool,
    record: Record,
}

impl Bench {
    async fn prepare(options: Options, cluster: Cluster) -> anyhow::Result<Self> {
        let pgbench = Pgbench::at(&cluster, &options.postgres_bin);
        let ground = Ground::prepare(cluster, &options.loopwright, options.own_instruments).await?;
        let gives_next = throughput::gives_next(&ground).await?;
        let rivals = options.rivals.clone().zip(options.node.clone());
        let rivals = rivals.map(|(folder, node)| folder.canonicalize().map(|folder| Rivals { folder, node }));
        let rivals = rivals.transpose().context("the other queues are not where they should be")?;
        Ok(Self { options, ground, pgbench, rivals, gives_next, record: Record::default() })
    }

    fn wants(&self, key: &str) -> bool {
        let only = &self.options.only;
        only.is_empty() || only.iter().any(|start| key.starts_with(start.as_str()))
    }

    fn window(&self) -> Duration {
        Duration::from_secs(self.options.seconds)
    }

    fn found(&mut self, key: &'static str, value: f64) {
        eprintln!("  {key:<22} {value:.3}");
        self.record.add(key, value);
    }

    async fn round(&mut self) -> anyhow::Result<()> {
        eprintln!("round:");
        let window = self.window();
        let updates = self.pgbench.update(window).await?;
        self.found("u", updates);
        let leases = self.pgbench.lease(window).await?;
        self.found("l", leases);
        self.rival("graphile-worker").await?;
        self.rival("pg-boss").await?;
        for (key, case) in CASES {
            self.throughput(key, case).await.with_context(|| format!("{key} could not be measured"))?;
        }
        self.enqueue().await?;
        self.dispatch().await?;
        self.idle().await
    }

    async fn rival(&mut self, key: &'static str) -> anyhow::Result<()> {
        if !self.wants(key) {
            return Ok(());
        }
        let Some(rivals) = &self.rivals else {
            self.record.is_absent(key, "skipped: not installed");
            return Ok(());
        };
        let jobs = self.expected(key) * self.window().as_secs_f64();
        let rate = rivals.measure(&self.ground.cluster, &format!("{key}.mjs"), jobs as u64).await?;
        self.found(key, rate);
        Ok(())
    }

    fn expected(&self, key: &str) -> f64 {
        self.record.last(key).unwrap_or(GUESS)
    }

    async fn throughput(&mut self, key: &'static str, case: Case) -> anyhow::Result<()> {
        if !self.wants(key) {
            return Ok(());
        }
        if case.way == Way::Together && !self.gives_next {
            self.record.is_absent(key, NOT_THERE);
            return Ok(());
        }
        let measured = throughput::measure(&self.ground, case, self.window(), self.expected(key)).await?;
        self.record.cost(key, Cost { used: measured.used, left: measured.left });
        self.found(key, measured.jobs_per_second);
        Ok(())
    }

    async fn enqueue(&mut self) -> anyhow::Result<()> {
        for (key, per_transaction) in [("enqueue-1", 1), ("enqueue-100", 100)] {
            if self.wants(key) {
                let rate = enqueue::measure(&self.ground, per_transaction, self.window()).await?;
                self.found(key, rate);
            }
        }
        Ok(())
    }

    async fn dispatch(&mut self) -> anyhow::Result<()> {
        if !self.wants("dispatch") {
            return Ok(());
        }
        let window = Duration::from_secs(self.options.dispatch_seconds);
        let latencies = dispatch::measure(&self.ground, MOST_WORKERS, window).await?;
        let figures = [
            ("dispatch-p50", &latencies.from_begin_ms, 50.0),
            ("dispatch-p99", &latencies.from_begin_ms, 99.0),
            ("dispatch-commit-p50", &latencies.from_commit_ms, 50.0),
            ("dispatch-commit-p99", &latencies.from_commit_ms, 99.0),
        ];
        for (key, milliseconds, percent) in figures {
            self.found(key, percentile(milliseconds, percent).context("no job was entered")?);
        }
        Ok(())
    }

    async fn idle(&mut self) -> anyhow::Result<()> {
        if !self.wants("idle") {
            return Ok(());
        }
        let window = Duration::from_secs(self.options.idle_seconds);
        let idle = idle::measure(&self.ground, MOST_WORKERS, window).await?;
        self.found("idle-cores", idle.waited_for.serve + idle.waited_for.backends);
        self.found("idle-memory", idle.waited_for.memory.resident_mb);
        self.found("alone-cores", idle.alone.serve + idle.alone.backends);
        self.found("alone-memory", idle.alone.memory.resident_mb);
        Ok(())
    }

    /// The quickest way of a thousand workers that there is.
    fn thousand(&self) -> (&'static str, Case) {
        if self.gives_next { CASES[0] } else { CASES[2] }
    }

    async fn snapshot(&mut self) -> anyhow::Result<()> {
        let (key, case) = self.thousand();
        let held = Duration::from_secs(self.options.snapshot_seconds);
        let kept = snapshot::measure(&self.ground, case, self.window(), held, self.expected(key)).await?;
        self.found("snapshot-before", kept.before);
        self.found("snapshot-after", kept.after);
        self.found("snapshot-kept", kept.after / kept.before);
        Ok(())
    }

    async fn statements(&self) -> anyhow::Result<statements::Statements> {
        let (key, case) = self.thousand();
        statements::measure(&self.ground, case, self.window(), self.expected(key)).await
    }

    async fn say(&self, machine: &Machine, statements: Option<statements::Statements>) -> anyhow::Result<()> {
        let lines = self.record.lines();
        let Options { rounds, seconds, snapshot_seconds, .. } = &self.options;
        println!("\n{rounds} rounds, {seconds} s a throughput, snapshot held {snapshot_seconds} s\n");
        println!("{}", report::table(&lines));
        if let Some(costs) = report::costs(&lines) {
            println!("cores used, and what the service had still to do at the end:\n{costs}");
        }
        println!("every job of every measurement was done exactly once");
        if let Some(statements) = &statements {
            println!(
                "\n{} ({} jobs):\n{}",
                self.thousand().0,
                statements.jobs,
                statements::table(statements)
            );
        }
        if let Some(path) = &self.options.json {
            let settings = self.ground.cluster.settings().await?;
            let all = json!({"machine": machine, "settings": settings, "rounds": rounds, "seconds": seconds,
                "snapshot_seconds": snapshot_seconds, "own_instruments": self.options.own_instruments, "rows": lines, "statements": statements});
            std::fs::write(path, serde_json::to_string_pretty(&all)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
