//! `loopwright doctor`: checks an installation and says what to do. It changes nothing.
//!
//! With the database's URL it looks at the database itself; without, it asks the server, with a token, and names
//! what it could not check from there.

mod around;

use super::arguments::Connection;
use super::client::Refused;
use crate::api::{Checkup, Health};
use crate::engine::standstills;
use crate::people::Visible;
use crate::store::blobs::{Blobs, free_bytes};
use crate::store::checkup::{self, Astray, Vitals};
use crate::store::installation::{Installation, installation};
use crate::store::{self, ConnectOptions};
use crate::watchdog::standstill::Standstill;
use anyhow::bail;
use chrono::Utc;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use sqlx::PgPool;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// PostgreSQL URL, as `serve` has it; absent: the server is asked, with a token
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Folder of the blob store, as `serve` has it
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Well,
    /// Works, and somebody should look.
    Look,
    /// Does not work.
    Broken,
    /// Cannot be checked from here.
    Unchecked,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    /// What was found, and what to do about it.
    says: String,
}

/// The whole history is read once.
const LONGEST_LOOK: Duration = Duration::from_secs(600);

pub async fn run(arguments: DoctorArguments) -> anyhow::Result<()> {
    let mut findings = match &arguments.database_url {
        Some(url) => of_database(url, arguments.data_dir.as_deref()).await,
        None => of_server(&arguments.connection).await,
    };
    match &arguments.data_dir {
        Some(folder) => {
            findings.push(blob_store(folder));
            findings.push(around::free_space(free_bytes(folder)));
        }
        None if arguments.database_url.is_some() => {
            findings.push(unchecked("blob store", "name its folder with --data-dir"));
        }
        None => {}
    }
    arguments.connection.output().list(
        &json!({"items": findings}),
        &[("/check", "check"), ("/verdict", "verdict"), ("/says", "says")],
        "Nothing was checked",
    )?;
    let broken: Vec<&str> =
        findings.iter().filter(|it| it.verdict == Verdict::Broken).map(|it| it.check).collect();
    if !broken.is_empty() {
        bail!("something is broken ({}); see above", broken.join(", "));
    }
    Ok(())
}

async fn of_database(url: &str, data_dir: Option<&Path>) -> Vec<Finding> {
    match examine(url, data_dir).await {
        Ok(Examined { vitals, astray, installation, standstills, blobs_wrong }) => {
            let answers = well("database", format!("answers, version {}", vitals.server_version / 10_000));
            let migrations = well("migrations", "the schema is the one that this version needs");
            let mut findings = vec![answers, migrations];
            findings.extend(read(&vitals, installation.sees_sessions));
            findings.push(around::history(&astray));
            findings.extend(around::read(&installation, Utc::now()));
            findings.push(around::standstills(&standstills));
            findings.push(match &blobs_wrong {
                Some(wrong) => around::blobs(wrong),
                None => unchecked("blobs", "whether they are there: name their folder with --data-dir"),
            });
            findings
        }
        Err(error) => vec![around::unreachable(&error)],
    }
}

/// What the server says of itself and of what stands behind it.
async fn of_server(connection: &Connection) -> Vec<Finding> {
    let mut findings = Vec::new();
    match connection.client_without_token() {
        Err(error) => return vec![broken("server", format!("{error:#}"))],
        Ok(client) => match client.get("/healthz").await.and_then(|it| Ok(serde_json::from_value(it)?)) {
            Err(error) => return vec![broken("server", format!("{error:#}"))],
            Ok(Health { version, .. }) => findings.push(versions(&version)),
        },
    }
    let asked = match connection.client() {
        Err(error) => Err(error),
        Ok(client) => client.get("/api/v1/checkup").await,
    };
    match asked.and_then(|it| Ok(serde_json::from_value::<Checkup>(it)?)) {
        Ok(checkup) => {
            findings.push(well("token", "opens the server"));
            findings.push(well("database", "answers the server"));
            findings.extend(read(&checkup.database, checkup.installation.sees_sessions));
            findings.extend(around::read(&checkup.installation, Utc::now()));
            findings.push(around::server_clock(checkup.server_at, checkup.installation.database_at));
            findings.push(around::standstills(&checkup.standstills));
            findings.extend(checkup.sign_on.as_ref().map(around::sign_on));
            let bad = checkup.blob_store_error.map(|says| (Verdict::Broken, says));
            findings.push(judge("blob store", bad, "can be written by the server"));
            findings.push(around::blobs(&checkup.blobs_wrong));
            findings.push(around::free_space(checkup.blob_store_free_bytes));
            let login = "whether another process may log in there: name it with --database-url";
            findings.push(unchecked("database login", login));
            findings.push(unchecked("history", "whether each row of it has its job: name --database-url"));
        }
        Err(error) => {
            let says = match error.downcast_ref::<Refused>() {
                Some(refused) => refused.detail.clone(),
                None => format!("{error:#}"),
            };
            findings.push(broken("token", says));
            let says = "database, queue, blob store: the server says it to a token with the scope read; or name \
                        --database-url";
            findings.push(unchecked("what stands behind", says));
        }
    }
    findings
}

fn versions(server: &str) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    let differs = (server != own).then(|| {
        (Verdict::Look, format!("the server has version {server}, this command {own}: take the same of both"))
    });
    judge("server", differs, "answers, of this version")
}

/// What the database itself says.
struct Examined {
    vitals: Vitals,
    astray: Vec<Astray>,
    installation: Installation,
    standstills: Vec<String>,
    /// Of a sample; `None` without their folder.
    blobs_wrong: Option<Vec<String>>,
}

async fn examine(url: &str, data_dir: Option<&Path>) -> store::Result<Examined> {
    let patient =
        ConnectOptions { max_connections: 1, statement_timeout: LONGEST_LOOK, ..Default::default() };
    let pool = store::connect(url, &patient).await?;
    let mut conn = pool.acquire().await?;
    let standstills = standstills::all(&mut conn, &Visible::All).await?;
    let vitals = checkup::vitals(&mut conn).await?;
    let astray = checkup::astray(&mut conn).await?;
    let installation = installation(&mut conn).await?;
    // The pool has this one connection.
    drop(conn);
    let blobs_wrong = match data_dir {
        Some(folder) => Some(wrong_in(folder, &pool).await),
        None => None,
    };
    let standstills = standstills.iter().map(Standstill::in_words).collect();
    Ok(Examined { vitals, astray, installation, standstills, blobs_wrong })
}

/// What is wrong with a few blobs that the database knows of.
async fn wrong_in(folder: &Path, pool: &PgPool) -> Vec<String> {
    // A store makes its folder where there is none, and here nothing is changed.
    if !folder.is_dir() {
        return vec![format!("{} is not there", folder.display())];
    }
    let sampled = async { Blobs::local(folder, 0)?.sample(pool).await };
    sampled.await.unwrap_or_else(|error| vec![error.with_sources()])
}

fn well(check: &'static str, says: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Well, says: says.into() }
}

fn broken(check: &'static str, says: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Broken, says: says.into() }
}

fn unchecked(check: &'static str, says: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Unchecked, says: says.into() }
}

/// `bad` says what is wrong, when something is.
fn judge(check: &'static str, bad: Option<(Verdict, String)>, good: &str) -> Finding {
    match bad {
        Some((verdict, says)) => Finding { check, verdict, says },
        None => well(check, good),
    }
}

/// What is hidden from a login that may not see others' sessions is no sign of health.
fn snapshots(vitals: &Vitals, sees_sessions: bool) -> Finding {
    let is_old = vitals.oldest_snapshot_age > 1_000_000;
    if !is_old && !sees_sessions {
        return unchecked("snapshots", around::BLIND);
    }
    let says = format!(
        "a snapshot {} transactions old holds vacuum back: look for it in pg_stat_activity (backend_xmin)",
        vitals.oldest_snapshot_age
    );
    judge("snapshots", is_old.then_some((Verdict::Look, says)), "no old snapshot")
}

fn read(vitals: &Vitals, sees_sessions: bool) -> Vec<Finding> {
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
                "fsync, full_page_writes or synchronous_commit is off, or synchronous_commit does not wait for the \
                 disk of the standby in synchronous_standby_names: a power cut or a failover can lose work. Turn all \
                 three on.",
            ),
            "commits reach the disk",
        ),
        judge(
            "standbys",
            look(
                vitals.asynchronous_replicas > 0,
                format!(
                    "{} stream and no commit waits for one: if it takes over, what robots were told and reported can be \
                     lost. Name it in synchronous_standby_names",
                    vitals.asynchronous_replicas
                ),
            ),
            "there is none, or commits wait for one",
        ),
        judge(
            "audit",
            broken(
                vitals.events_can_be_changed,
                "the application's role may change events: revoke update and delete on event from loopwright_app",
            ),
            "events can only be added",
        ),
        snapshots(vitals, sees_sessions),
        judge(
            "queue",
            look(
                vitals.oldest_ready_seconds.is_some_and(|seconds| seconds > 600.0),
                format!(
                    "{} jobs are ready, one that could begin for {:.0} s: is an agent or learner with the capability running?",
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
            "reconciliation",
            look(
                vitals.is_reconciling,
                "robots are given no work until what they did before a failover or restore is reconciled: \
                 loopwright reconciliation show"
                    .to_owned(),
            ),
            "this life of the database is reconciled",
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
            asynchronous_replicas: 0,
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
            is_reconciling: false,
            silent_instruments: Vec::new(),
        }
    }

    fn ill(vitals: &Vitals, sees_sessions: bool) -> Vec<(&'static str, Verdict)> {
        let findings = read(vitals, sees_sessions).into_iter();
        findings.filter(|it| it.verdict != Verdict::Well).map(|it| (it.check, it.verdict)).collect()
    }

    #[test]
    fn a_healthy_installation_has_no_findings() {
        assert_eq!(ill(&healthy(), true), []);
    }

    #[test]
    fn what_is_hidden_from_the_login_is_not_called_well() {
        assert_eq!(ill(&healthy(), false), [("snapshots", Verdict::Unchecked)]);
        let old = Vitals { oldest_snapshot_age: 2_000_000, ..healthy() };
        assert_eq!(ill(&old, false), [("snapshots", Verdict::Look)]);
    }

    #[test]
    fn a_standby_that_no_commit_waits_for_is_looked_at() {
        let alone = Vitals { asynchronous_replicas: 1, ..healthy() };
        assert_eq!(ill(&alone, true), [("standbys", Verdict::Look)]);
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_broken_and_nothing_else_is_said() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let connection = Connection { server, token_file: None, json: true };
        let findings = of_server(&connection).await;
        assert_eq!(
            findings.iter().map(|f| (f.check, f.verdict)).collect::<Vec<_>>(),
            [("server", Verdict::Broken)]
        );
    }

    #[test]
    fn another_version_of_the_server_is_looked_at() {
        assert_eq!(versions(env!("CARGO_PKG_VERSION")).verdict, Verdict::Well);
        assert_eq!(versions("0.0.0-other").verdict, Verdict::Look);
    }

    #[test]
    fn a_job_in_doubt_and_a_lost_durability_are_told_apart() {
        let both = Vitals { durable: false, jobs_in_doubt: 2, ..healthy() };
        assert_eq!(ill(&both, true), [("durability", Verdict::Broken), ("in doubt", Verdict::Look)]);
    }
}
