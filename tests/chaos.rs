//! `make chaos KILLS=1000 SEED=1`: kills at random moments over many fast campaigns, and prints a table.

use anyhow::Context;
use clap::Parser;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use system_tests::matrix::{shares, walk_share};
use system_tests::table::table;
use system_tests::walk::{Plan, walk};

const LIMIT: Duration = Duration::from_secs(300);

/// Kills processes of demo laboratories at random, and judges each campaign by the bench's truth log.
///
/// Seconds to recover count from the SIGKILL until the role is filled again: `serve` answers /healthz; a
/// question that serve puts to `postgres` is answered; the control of `bench` answers; a new process of an
/// agent or of the learner says that it is at work; after `everything`, as after postgres.
/// Ends with 1 when anything was lost, repeated or broken; the folders of such campaigns are kept.
#[derive(Parser)]
#[command(name = "chaos")]
struct Arguments {
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Victims and moments are drawn from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Campaigns side by side
    #[arg(long, default_value_t = 2)]
    at_once: u32,
    /// Kills in one campaign at the most
    #[arg(long, default_value_t = 25)]
    kills_a_campaign: u32,
    /// Instead, one share of the matrix: service, database, workers, small-agents, devices
    #[arg(long)]
    matrix: Option<String>,
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { kills, seed, at_once, kills_a_campaign, matrix } = Arguments::parse();
    if let Some(name) = matrix {
        return one_share(&name);
    }
    let walked = walk(Plan { kills, seed, at_once, kills_a_campaign }, |line| eprintln!("{line}"));
    println!("{}", table(&walked));
    Ok(if walked.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one_share(name: &str) -> anyhow::Result<ExitCode> {
    let share = shares()?.into_iter().find(|share| share.name == name).context("there is no such share")?;
    let began = Instant::now();
    let walked = walk_share(share, LIMIT)?;
    let is_sound = walked.verdict.is_sound() && walked.unreached.is_empty();
    println!(
        "{} kills in {:.0} s, {} in doubt, resumed {} times, {} points not reached",
        walked.killed.len(),
        began.elapsed().as_secs_f64(),
        walked.verdict.in_doubt,
        walked.resumed,
        walked.unreached.len(),
    );
    for point in &walked.unreached {
        println!("not reached: {point}");
    }
    print!("{}", walked.verdict);
    if !is_sound {
        println!("kept: {}", walked.laboratory.keep().display());
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
