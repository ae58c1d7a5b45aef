//! How long pages take: the web app's requests, one after the other, as different people ask them.

use super::laboratory::{Ground, Laboratory};
use super::report::Page;
use super::routes::{self, Ask};
use crate::figures::percentile;
use crate::http::Connection;
use anyhow::{Context, bail};
use orchestrator::ids::{ProjectId, SYSTEM};
use orchestrator::people::manage::{self, NewUser};
use orchestrator::people::{Grant, Role};
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use sqlx::PgConnection;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A request is asked so often, unless its time is over.
const TIMES: usize = 60;
const FEWEST: usize = 10;

/// Tokens of three people.
#[derive(Debug)]
pub struct Callers {
    /// Sees everything.
    pub viewer: String,
    /// Has a role in one project of five.
    pub limited: String,
    /// Sees users and tokens.
    pub admin: String,
    /// The project of the limited one.
    pub project: Uuid,
}

impl Callers {
    pub async fn make(laboratory: &Laboratory) -> anyhow::Result<Self> {
        let mut conn = laboratory.pool.acquire().await?;
        let project: Uuid = sqlx::query_scalar("select project_id from campaign order by id limit 1")
            .fetch_one(&mut *conn)
            .await?;
        let own = Some(ProjectId(project));
        Ok(Self {
            viewer: person(&mut conn, "viewer", None, Role::Viewer, Scope::Read).await?,
            limited: person(&mut conn, "limited", own, Role::Scientist, Scope::Read).await?,
            admin: person(&mut conn, "admin", None, Role::Admin, Scope::Admin).await?,
            project,
        })
    }
}

/// The secret of a token.
async fn person(
    conn: &mut PgConnection,
    name: &str,
    project: Option<ProjectId>,
    role: Role,
    scope: Scope,
) -> anyhow::Result<String> {
    let name = format!("growth-{name}-{}", Uuid::now_v7().simple());
    let user = NewUser {
        name: name.clone(),
        display_name: name.clone(),
        email: None,
        grants: vec![Grant { project, role }],
        is_demo: false,
        password: None,
    };
    manage::create(conn, user, SYSTEM).await??;
    let token = NewToken {
        actor: name,
        kind: ActorKind::Person,
        scopes: vec![Scope::Read, scope],
        label: "bench-growth".to_owned(),
        valid_hours: 24,
    };
    Ok(tokens::create(conn, &token).await?.secret)
}

/// A kept connection that counts time.
#[derive(Debug)]
pub struct Asker {
    connection: Connection,
}

#[derive(Debug)]
pub struct Asked {
    pub milliseconds: Vec<f64>,
    /// Of the largest answer.
    pub bytes: usize,
    /// The first answer that was not 200.
    pub refused: Option<u16>,
}

impl Asker {
    pub async fn open(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        Ok(Self { connection: Connection::open(address, token).await? })
    }

    /// Asks `paths` in turn, each first time left out, for at most about `time`.
    pub async fn ask(&mut self, paths: &[String], time: Duration) -> anyhow::Result<Asked> {
        let mut asked = Asked { milliseconds: Vec::new(), bytes: 0, refused: None };
        let end = Instant::now() + time;
        let first = paths.first().context("nothing to ask")?;
        for path in std::iter::once(first).chain(paths.iter().cycle().take(TIMES)) {
            let began = Instant::now();
            let (status, body) = self.connection.get(path).await.with_context(|| format!("GET {path}"))?;
            let elapsed = began.elapsed().as_secs_f64() * 1e3;
            if status != 200 && status != 204 {
                if status >= 500 {
                    bail!("GET {path} was answered {status}: {}", String::from_utf8_lossy(body));
                }
                asked.refused = Some(status);
                return Ok(asked);
            }
            asked.bytes = asked.bytes.max(body.len());
            asked.milliseconds.push(elapsed);
            if Instant::now() > end && asked.milliseconds.len() > FEWEST {
                break;
            }
        }
        asked.milliseconds.remove(0);
        Ok(asked)
    }
}

/// Every page, as each of the callers asks it.
pub async fn measure(ground: &Ground, laboratory: &Laboratory, time: Duration) -> anyhow::Result<Vec<Page>> {
    let service = ground.serve(laboratory).await?;
    let callers = Callers::make(laboratory).await?;
    until_drafted(laboratory).await?;
    let asks = routes::asks(laboratory, &callers).await?;
    let mut pages = Vec::new();
    for (caller, token) in
        [("viewer", &callers.viewer), ("limited", &callers.limited), ("admin", &callers.admin)]
    {
        let mut asker = Asker::open(service.address, token).await?;
        for ask in &asks {
            if ask.admin == (caller == "admin") {
                pages.extend(page(&mut asker, ask, caller, time).await?);
            }
        }
    }
    service.kill().await?;
    pages.sort_by(|one, other| other.p95_ms.total_cmp(&one.p95_ms));
    Ok(pages)
}

/// `None`: it is closed to the caller.
async fn page(
    asker: &mut Asker,
    ask: &Ask,
    caller: &'static str,
    time: Duration,
) -> anyhow::Result<Option<Page>> {
    let asked = asker.ask(&ask.paths, time).await?;
    if let Some(status) = asked.refused {
        if caller == "viewer" {
            bail!("GET {} was answered {status}", ask.what);
        }
        eprintln!("  {caller}: {} is closed ({status})", ask.what);
        return Ok(None);
    }
    let percent = |percent| percentile(&asked.milliseconds, percent).context("not asked");
    Ok(Some(Page {
        what: ask.what.clone(),
        caller,
        times: asked.milliseconds.len(),
        bytes: asked.bytes,
        p50_ms: percent(50.0)?,
        p95_ms: percent(95.0)?,
    }))
}

/// The service drafts a plan for each batch that waits; what is measured is a laboratory at rest.
async fn until_drafted(laboratory: &Laboratory) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(300);
    loop {
        let left: i64 = sqlx::query_scalar(
            "select (select count(*) from batch where state = 'awaiting_approval' and draft is null)
                 + (select count(*) from event) - (select position from event_sealer)",
        )
        .fetch_one(&laboratory.pool)
        .await?;
        if left <= 0 {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("the service did not come to rest: {left} drafts and events are left");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
