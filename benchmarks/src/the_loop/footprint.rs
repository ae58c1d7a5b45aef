//! Resident memory of `serve` at rest, after a round, and after twelve people signed in; and of an agent at rest.

use crate::databases::Cluster;
use crate::http::Connection;
use crate::laboratory::campaign::Shape;
use crate::laboratory::ground::Ground;
use crate::processes::{self, Memory};
use anyhow::bail;
use orchestrator::ids::SYSTEM;
use orchestrator::people::manage::{self, NewUser};
use orchestrator::people::{Grant, Role};
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

/// Designs of the round.
const BATCH: u32 = 128;
const PEOPLE: usize = 12;
const PASSWORD: &str = "correct horse battery staple of bench 7";
/// Until a process has come to rest.
const SETTLE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    pub at_rest: Memory,
    pub after_round: Memory,
    pub after_sign_ins: Memory,
    pub agent: Memory,
}

/// What they take, and the folder that [`Ground::end`] answers.
pub async fn measure(
    cluster: &Cluster,
    loopwright: &Path,
    agent: &Path,
) -> anyhow::Result<(Footprint, TempDir)> {
    let shape = Shape::batches(1, BATCH);
    let mut ground = Ground::prepare(cluster, loopwright).await?;
    ground.add_bench(0).await?;
    ground.stock(0, &shape).await?;
    ground.add_learners(1).await?;
    let at_rest = settled(ground.service.pid).await?;
    let agent = one_agent(&ground, agent).await?;
    let crew = ground.work(Duration::ZERO)?;
    ground.begin_campaign(0, &shape).await?;
    ground.until_finished().await?;
    let after_round = settled(ground.service.pid).await?;
    sign_in(&ground).await?;
    let after_sign_ins = settled(ground.service.pid).await?;
    crew.stop().await?;
    Ok((Footprint { at_rest, after_round, after_sign_ins, agent }, ground.end().await?))
}

async fn settled(pid: u32) -> anyhow::Result<Memory> {
    tokio::time::sleep(SETTLE).await;
    processes::memory(pid)
}

async fn one_agent(ground: &Ground, agent: &Path) -> anyhow::Result<Memory> {
    let folder = tempfile::tempdir()?;
    let token = folder.path().join("token");
    std::fs::write(&token, ground.any_agent_token())?;
    let mut process = tokio::process::Command::new(agent)
        .args(["--server", &format!("http://{}", ground.service.address)])
        .args(["--driver", "mover", "--instrument", "mover-0", "--device-url", "http://127.0.0.1:9"])
        .arg("--token-file")
        .arg(&token)
        .arg("--spool")
        .arg(folder.path().join("spool"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let Some(pid) = process.id() else { bail!("the agent ended at once") };
    let memory = settled(pid).await;
    process.kill().await?;
    memory
}

async fn sign_in(ground: &Ground) -> anyhow::Result<()> {
    let mut conn = ground.pool.acquire().await?;
    for number in 0..PEOPLE {
        let new = NewUser {
            name: format!("person-{number}"),
            display_name: format!("Person {number}"),
            email: None,
            grants: vec![Grant { project: None, role: Role::Scientist }],
            is_demo: false,
            password: Some(PASSWORD.to_owned()),
        };
        if let Err(refused) = manage::create(&mut conn, new, SYSTEM).await? {
            bail!("no user could be made: {refused}");
        }
    }
    for number in 0..PEOPLE {
        let mut connection = Connection::open(ground.service.address, "").await?;
        let body = json!({"name": format!("person-{number}"), "password": PASSWORD}).to_string();
        let (status, answer) = connection.post("/api/v1/session", &body).await?;
        if status != 200 {
            bail!("a sign-in was answered {status}: {}", String::from_utf8_lossy(answer));
        }
    }
    Ok(())
}
