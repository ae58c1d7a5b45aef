//! A run: rounds of what varies, then what is measured once.

use super::report::Report;
use super::{footprint, idle, orchestration, start, turnaround};
use crate::databases::Cluster;
use crate::processes::Memory;
use crate::queue::ground::{Ground, MOST_WORKERS};
use crate::queue::idle::Idle;
use anyhow::Context;
use clap::Parser;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// Measures what the loop costs beside devices and learners
#[derive(Clone, Debug, Parser)]
#[command(name = "bench-loop")]
pub struct Options {
    /// PostgreSQL URL of a superuser of a cluster that may be written to
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The binary of the service
    #[arg(long)]
    loopwright: PathBuf,
    /// The binary of an agent
    #[arg(long)]
    agent: PathBuf,
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Experiments of a campaign in each measurement of orchestration
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(2..=300))]
    experiments: u32,
    /// Seconds of each measurement at rest
    #[arg(long, default_value_t = 20)]
    idle_seconds: u64,
    /// Only these: orchestration, turnaround, start, memory, idle
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write everything to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Campaigns at once, and what an experiment may cost then, ms.
const AT_ONCE: [(usize, f64); 2] = [(1, 20.0), (8, 5.0)];
const BATCHES: [u32; 3] = [8, 128, 1000];
/// Rounds of a campaign whose turns are measured.
const TURNS: u32 = 3;
const STARTS: u32 = 5;

pub async fn run(options: Options) -> anyhow::Result<()> {
    let cluster = Cluster::at(&options.database_url).await?;
    let mut run = Run { options, cluster, report: Report::default(), kept: Vec::new() };
    for round in 1..=run.options.rounds {
        eprintln!("round {round} of {}", run.options.rounds);
        run.orchestration().await?;
        run.turnaround().await?;
        run.start().await?;
        run.memory().await?;
    }
    run.idle().await?;
    run.say()
}

struct Run {
    options: Options,
    cluster: Cluster,
    report: Report,
    /// Of measurements that are over; deleted at the end ([`crate::laboratory::ground::Ground::end`]).
    kept: Vec<TempDir>,
}

impl Run {
    fn wants(&self, part: &str) -> bool {
        self.options.only.is_empty() || self.options.only.iter().any(|only| only == part)
    }

    fn found(&mut self, what: impl Into<String>, unit: &'static str, goal: Option<f64>, value: f64) {
        let what = what.into();
        eprintln!("  {what}: {value:.3} {unit}");
        self.report.found(what, unit, goal, value);
    }

    async fn orchestration(&mut self) -> anyhow::Result<()> {
        if !self.wants("orchestration") {
            return Ok(());
        }
        for (at_once, goal) in AT_ONCE {
            let (loopwright, experiments) = (&self.options.loopwright, self.options.experiments);
            let (cost, work, folder) =
                orchestration::measure(&self.cluster, loopwright, at_once, experiments).await?;
            self.kept.push(folder);
            let jobs = cost.jobs + 2.0;
            let figures = [
                ("an experiment, the whole round", Some(goal), cost.experiment),
                ("a job of it", None, cost.experiment / jobs),
                ("latency of the plate's chain of 7 jobs", None, cost.chain),
                ("  ready to leased", None, cost.waited),
                ("  leased to started (agent's disk, request)", None, cost.began),
                ("  started to settled (agent's disk, request)", None, cost.reported),
                ("latency: round to batch, learner apart", None, cost.proposing),
                ("latency: batch to approval", None, cost.approving),
                ("latency: approval to jobs", None, cost.planning),
                ("latency: last job to round closed", None, cost.closing),
                ("latency: closed to next round, learner apart", None, cost.training),
                ("the learner's own", None, cost.learner),
                ("processor: PostgreSQL", None, work.postgres),
                ("processor: serve", None, work.serve),
                ("processor: agents and learners", None, work.workers),
            ];
            for (what, goal, value) in figures {
                self.found(format!("{at_once} at a time: {what}"), "ms", goal, value);
            }
        }
        Ok(())
    }

    async fn turnaround(&mut self) -> anyhow::Result<()> {
        if !self.wants("turnaround") {
            return Ok(());
        }
        for batch in BATCHES {
            let (turns, folder) =
                turnaround::measure(&self.cluster, &self.options.loopwright, batch, TURNS).await?;
            self.kept.push(folder);
            for turn in turns {
                let what = format!("last reading to next batch of {batch}, learner apart");
                self.found(what, "s", Some(1.0), turn.ours);
                self.found(format!("  the learner's own at {batch}"), "s", None, turn.learner);
            }
        }
        Ok(())
    }

    async fn start(&mut self) -> anyhow::Result<()> {
        if !self.wants("start") {
            return Ok(());
        }
        for seconds in start::measure(&self.cluster, &self.options.loopwright, STARTS).await? {
            self.found("start of serve to its first answer", "s", Some(1.0), seconds);
        }
        Ok(())
    }

    async fn memory(&mut self) -> anyhow::Result<()> {
        if !self.wants("memory") {
            return Ok(());
        }
        let Options { loopwright, agent, .. } = &self.options;
        let (all, folder) = footprint::measure(&self.cluster, loopwright, agent).await?;
        self.kept.push(folder);
        let figures = [
            ("serve at rest", 60.0, all.at_rest),
            ("serve after a round of 128", 60.0, all.after_round),
            ("serve after 12 sign-ins", 60.0, all.after_sign_ins),
            ("agent at rest", 20.0, all.agent),
        ];
        for (what, goal, Memory { resident_mb, anonymous_mb }) in figures {
            self.found(format!("{what}, resident"), "MB", Some(goal), resident_mb);
            self.found(format!("{what}, not of files"), "MB", None, anonymous_mb);
        }
        Ok(())
    }

    async fn idle(&mut self) -> anyhow::Result<()> {
        if !self.wants("idle") {
            return Ok(());
        }
        let ground = Ground::prepare(self.cluster.clone(), &self.options.loopwright, true).await?;
        let window = Duration::from_secs(self.options.idle_seconds);
        let pollers = crate::queue::idle::measure(&ground, MOST_WORKERS, window).await?;
        self.idled("1000 pollers, each at its instrument", &pollers, [Some(0.02), Some(40.0)]);
        let agents = idle::agents(&ground, MOST_WORKERS, window).await?;
        self.idled("1000 agents (work and orders), each at its instrument", &agents, [None, None]);
        Ok(())
    }

    fn idled(&mut self, who: &str, idle: &Idle, [cores, memory]: [Option<f64>; 2]) {
        let Idle { alone, waited_for } = idle;
        let used = waited_for.serve + waited_for.backends;
        let before = alone.serve + alone.backends;
        self.found(format!("{who}: serve and PostgreSQL, more than alone"), "cores", cores, used - before);
        self.found(format!("{who}: serve"), "cores", None, waited_for.serve);
        self.found(format!("{who}: PostgreSQL"), "cores", None, waited_for.backends);
        self.found("serve alone, with PostgreSQL", "cores", None, before);
        self.found(format!("{who}: memory of serve"), "MB", None, waited_for.memory.resident_mb);
        let more = waited_for.memory.resident_mb - alone.memory.resident_mb;
        self.found(format!("{who}: memory more than alone"), "MB", memory, more);
    }

    fn say(&self) -> anyhow::Result<()> {
        println!("\n{}", self.report.table());
        if let Some(path) = &self.options.json {
            let cores = std::thread::available_parallelism()?.get();
            let all = json!({"cores": cores, "rounds": self.options.rounds, "rows": self.report.rows});
            std::fs::write(path, serde_json::to_string_pretty(&all)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
