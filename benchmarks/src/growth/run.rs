//! A run: sizes one after the other, every page over the largest, plates as they are read; then what is said of it.

use super::laboratory::Ground;
use super::report::{self, Costs, Growth, Page};
use super::{ingest, observations, pages, pending, rounds};
use crate::databases::Cluster;
use crate::figures::spread;
use crate::queue;
use anyhow::Context;
use clap::Parser;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Measures what work costs when there is much of it already
#[derive(Clone, Debug, Parser)]
#[command(name = "bench-growth")]
pub struct Options {
    /// PostgreSQL URL of a superuser of a cluster that may be written to
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The binary of the service
    #[arg(long)]
    loopwright: PathBuf,
    /// Jobs of the largest queue: ten thousand, and ten times as many, up to this
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    most_jobs: u64,
    /// Rounds of the longest campaign: ten, and ten times as many, up to this
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..))]
    most_rounds: u64,
    /// Observations of the largest laboratory: ten thousand, and ten times as many, up to this; 10^7 take 7 GB of disk
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    most_observations: u64,
    /// Rounds of ingest
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each measurement of the queue, and for which one page is asked
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Only these parts (jobs, rounds, observations, pages, ingest), separated by commas
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Measure the pages over the laboratory that an earlier run left in this cluster
    #[arg(long)]
    keep: bool,
    /// Write everything to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures, prints the tables, and writes the file that was asked for.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let cluster = Cluster::at(&options.database_url).await?;
    for setting in cluster.settings().await? {
        println!("{} = {}", setting.name, setting.value);
    }
    let ground = Ground { cluster, loopwright: options.loopwright.clone() };
    let bench = Bench { options, ground };
    let mut all = json!({});
    if bench.wants("jobs") {
        all["jobs"] = bench.jobs().await?;
    }
    if bench.wants("rounds") {
        all["rounds"] = bench.rounds().await?;
    }
    if bench.wants("ingest") {
        all["ingest"] = bench.ingest().await?;
    }
    if bench.wants("observations") {
        all["observations"] = bench.observations().await?;
    }
    if bench.wants("pages") {
        all["pages"] = bench.pages().await?;
    }
    if let Some(path) = &bench.options.json {
        std::fs::write(path, serde_json::to_string_pretty(&all)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

struct Bench {
    options: Options,
    ground: Ground,
}

/// `first`, and ten times as much, up to `most`.
fn sizes(first: u64, most: u64) -> Vec<u64> {
    std::iter::successors(Some(first), |size| size.checked_mul(10)).take_while(|size| *size <= most).collect()
}

impl Bench {
    fn wants(&self, part: &str) -> bool {
        self.options.only.is_empty() || self.options.only.iter().any(|only| only == part)
    }

    fn window(&self) -> Duration {
        Duration::from_secs(self.options.seconds)
    }

    async fn jobs(&self) -> anyhow::Result<Value> {
        let mut costs = Costs::default();
        let cluster = self.ground.cluster.clone();
        let ground = queue::ground::Ground::prepare(cluster, &self.ground.loopwright, false).await?;
        for jobs in sizes(10_000, self.options.most_jobs) {
            pending::measure(&ground, usize::try_from(jobs)?, self.window(), &mut costs).await?;
        }
        say("jobs pending", costs)
    }

    async fn rounds(&self) -> anyhow::Result<Value> {
        let mut costs = Costs::default();
        for number in sizes(10, self.options.most_rounds) {
            rounds::measure(&self.ground, number, &mut costs).await?;
        }
        say("rounds of one campaign (100 observations each)", costs)
    }

    async fn observations(&self) -> anyhow::Result<Value> {
        let mut costs = Costs::default();
        for number in sizes(10_000, self.options.most_observations) {
            observations::measure(&self.ground, number, &mut costs).await?.pool.close().await;
        }
        say("observations stored (50 campaigns of 100 rounds)", costs)
    }

    async fn pages(&self) -> anyhow::Result<Value> {
        let most = self.options.most_observations;
        let laboratory = if self.options.keep || self.wants("observations") {
            self.ground.open(observations::DATABASE).await?
        } else {
            self.ground.laboratory(observations::DATABASE, &observations::shape(most)).await?
        };
        let pages = pages::measure(&self.ground, &laboratory, self.window()).await?;
        if !self.options.keep {
            laboratory.drop().await?;
        }
        println!("\nevery page, slowest first\n\n{}", report::pages_table(&pages));
        let slow: Vec<&Page> = pages.iter().filter(|page| page.p95_ms > GOAL_MS).collect();
        println!("{} of {} have their p95 over {GOAL_MS} ms", slow.len(), pages.len());
        Ok(serde_json::to_value(&pages)?)
    }

    async fn ingest(&self) -> anyhow::Result<Value> {
        let template = ingest::prepare(&self.ground).await?;
        let mut measured = Vec::new();
        for round in 1..=self.options.rounds {
            let one = ingest::measure(&self.ground, &template)
                .await
                .with_context(|| format!("in round {round}"))?;
            eprintln!("  ingest {:.3} s, copy {:.3} s", one.ingest, one.copy);
            measured.push(one);
        }
        template.drop().await?;
        let of = |of: fn(&ingest::Measured) -> f64| -> anyhow::Result<crate::figures::Spread> {
            spread(&measured.iter().map(of).collect::<Vec<_>>()).context("no round")
        };
        let (ours, copy, ratio) = (of(|it| it.ingest)?, of(|it| it.copy)?, of(|it| it.ingest / it.copy)?);
        println!(
            "\ningest of {} plates of {} wells, {} rounds\n",
            ingest::PLATES,
            ingest::WELLS,
            measured.len()
        );
        print!("{}", report::spread_line("parse, reconcile, normalise, judge, store", "s", &ours));
        print!("{}", report::spread_line("COPY of the same rows", "s", &copy));
        print!("{}", report::spread_line("ratio", "x", &ratio));
        Ok(json!({"ingest_s": ours, "copy_s": copy, "ratio": ratio}))
    }
}

/// The 95th percentile of every page is to stay under it.
const GOAL_MS: f64 = 50.0;

fn say(title: &str, costs: Costs) -> anyhow::Result<Value> {
    let growths: Vec<Growth> = costs.growths();
    println!("\nms by {title}\n\n{}", report::growth_table(&growths));
    Ok(serde_json::to_value(&growths)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_tenfold_up_to_the_most() {
        assert_eq!(sizes(10, 1000), [10, 100, 1000]);
        assert_eq!(sizes(10_000, 50_000), [10_000]);
    }
}
