//! `loopwright doctor`: checks an installation and says what to do. It changes nothing.

use super::output::Output;
use crate::store::checkup::{self, Vitals};
use crate::store::{self, ConnectOptions};
use anyhow::bail;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// PostgreSQL URL, as `serve` has it
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Folder of the blob store, as `serve` has it
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Well,
    /// Works, and somebody should look.
    Look,
    /// Does not work.
    Broken,
}

#[derive(Clone, Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    /// What was found, and what to do about it.
    says: String,
}

pub async fn run(arguments: DoctorArguments) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    match examine(&arguments.database_url).await {
        Ok(vitals) => {
            findings.push(well("database", format!("answers, version {}", vitals.server_version / 10_000)));
            findings.extend(read(&vitals));
        }
        Err(error) => findings.push(Finding {
            check: "database",
            verdict: Verdict::Broken,
            says: format!("{error}; is PostgreSQL running, and has `loopwright migrate` been run?"),
        }),
    }
    if let Some(folder) = &arguments.data_dir {
        findings.push(blob_store(folder));
    }
    let output = Output { json: arguments.json };
    output.list(
        &json!({"items": findings}),
        &[("/check", "check"), ("/verdict", "verdict"), ("/says", "says")],
        "Nothing was checked",
    )?;
    if findings.iter().any(|finding| finding.verdict == Verdict::Broken) {
        bail!("something is broken; see above");
    }
    Ok(())
}

async fn examine(url: &str) -> store::Result<Vitals> {
    let pool = store::connect(url, &ConnectOptions { max_connections: 1, ..Default::default() }).await?;
    let mut conn = pool.acquire().await?;
    checkup::vitals(&mut conn).await
}

fn well(check: &'static str, says: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Well, says: says.into() }
}

/// `bad` says what is wrong, when something is.
fn judge(check: &'static str, bad: Option<(Verdict, String)>, good: &str) -> Finding {
    match bad {
        Some((verdict, says)) => Finding { check, verdict, says },
        None => well(check, good),
    }
}

fn read(vitals: &Vitals) -> Vec<Finding> {
    let look = |wrong: bool, says: String| wrong.then_some((Verdict::Look, says));
    let broken = |wrong: bool, says: &str| wrong.then(|| (Verdict::Broken, says.to_owned()));
    vec![
        judge(
            "version",
            broken(vitals.server_version < 150_000, "PostgreSQL 15 or newer is needed"),
            "new enough",
        ),
        judge(
            "durability",
            broken(
                !vitals.durable,
                "fsync or synchronous_commit is off: a power cut can lose work. Turn both on.",
            ),
            "commits reach the disk",
        ),
        judge(
            "audit",
            broken(
                vitals.events_can_be_changed,
                "the application's role may change events: revoke update and delete on event from loopwright_app",
            ),
            "events can only be added",
        ),
        judge(
            "snapshots",
            look(
                vitals.oldest_snapshot_age > 1_000_000,
                format!(
                    "a snapshot {} transactions old holds vacuum back: look for it in pg_stat_activity (backend_xmin)",
                    vitals.oldest_snapshot_age
                ),
            ),
            "no old snapshot",
        ),
        judge(
            "queue",
            look(
                vitals.oldest_ready_seconds.is_some_and(|seconds| seconds > 600.0),
                format!(
                    "{} jobs are ready, one for {:.0} s: is an agent or learner with the capability running?",
                    vitals.ready_jobs,
                    vitals.oldest_ready_seconds.unwrap_or_default()
                ),
            ),
            "nothing waits long for a worker",
        ),
        judge(
            "leases",
            look(
                vitals.expired_leases > 0,
                format!(
                    "{} leases have run out and nobody reaps them: is `loopwright serve` running?",
                    vitals.expired_leases
                ),
            ),
            "none has run out",
        ),
        judge(
            "consequences",
            look(
                vitals.unsettled_consequences > 100,
                format!(
                    "{} settled jobs wait for the loop engine: is `loopwright serve` running?",
                    vitals.unsettled_consequences
                ),
            ),
            "the engine keeps up",
        ),
        judge(
            "in doubt",
            look(
                vitals.jobs_in_doubt > 0,
                format!("{} jobs are in doubt: loopwright job list --state in_doubt", vitals.jobs_in_doubt),
            ),
            "no job is in doubt",
        ),
        judge(
            "rounds",
            look(
                vitals.held_rounds > 0,
                format!("{} rounds are held: loopwright task list", vitals.held_rounds),
            ),
            "none is held",
        ),
        judge(
            "tasks",
            look(
                vitals.open_tasks > 0,
                format!("{} tasks wait for people: loopwright task list", vitals.open_tasks),
            ),
            "nothing waits for people",
        ),
        judge(
            "sealer",
            look(
                vitals.unsealed_events > 10_000,
                format!("{} events are not sealed: is `loopwright serve` running?", vitals.unsealed_events),
            ),
            "events are sealed",
        ),
        judge(
            "instruments",
            look(
                !vitals.silent_instruments.is_empty(),
                format!("no agent asks for work for: {}", vitals.silent_instruments.join(", ")),
            ),
            "every agent asks for work",
        ),
    ]
}

fn blob_store(folder: &std::path::Path) -> Finding {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"doctor").and_then(|()| std::fs::remove_file(&probe));
    judge(
        "blob store",
        written
            .err()
            .map(|error| (Verdict::Broken, format!("{} cannot be written: {error}", folder.display()))),
        "can be written",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> Vitals {
        Vitals {
            server_version: 150_018,
            durable: true,
            events_can_be_changed: false,
            oldest_snapshot_age: 3,
            ready_jobs: 0,
            oldest_ready_seconds: None,
            expired_leases: 0,
            jobs_in_doubt: 0,
            unsettled_consequences: 0,
            held_rounds: 0,
            open_tasks: 0,
            unsealed_events: 0,
            silent_instruments: Vec::new(),
        }
    }

    #[test]
    fn a_healthy_installation_has_no_findings() {
        assert!(read(&healthy()).iter().all(|finding| finding.verdict == Verdict::Well));
    }

    #[test]
    fn a_job_in_doubt_and_a_lost_durability_are_told_apart() {
        let ill = Vitals { durable: false, jobs_in_doubt: 2, ..healthy() };
        let verdicts: Vec<_> = read(&ill)
            .into_iter()
            .filter(|finding| finding.verdict != Verdict::Well)
            .map(|f| (f.check, f.verdict))
            .collect();
        assert_eq!(verdicts, [("durability", Verdict::Broken), ("in doubt", Verdict::Look)]);
    }
}
