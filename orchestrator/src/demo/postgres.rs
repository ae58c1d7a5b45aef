//! A private PostgreSQL: its own data directory, a Unix socket only its owner can reach, no TCP.
//!
//! PostgreSQL refuses to run as root, so as root it runs as the `postgres` (or `nobody`) user through
//! `setpriv`. The postmaster is our child and dies with us (`--pdeathsig`), so that a killed demo leaves
//! nothing behind.

use anyhow::{Context, bail};
use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Longest path of a Unix socket, in bytes (`sun_path`, less the final zero).
const LONGEST_SOCKET_PATH: usize = 107;
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// What a killed `initdb` had started sees that it is alone when it next reads, and may write until then.
const INITDB_TRIES: u32 = 4;
const INITDB_PAUSE: Duration = Duration::from_millis(500);

/// A running private server; stopped by [`Postgres::stop`], killed when dropped.
pub struct Postgres {
    postmaster: Child,
    socket_folder: PathBuf,
}

/// Who the server runs as when we are root.
struct Owner {
    uid: u32,
    gid: u32,
}

impl Postgres {
    /// Starts the server on `folder/pg`, making the cluster on the first start.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let binaries = find_binaries()?;
        let owner = owner_when_root(folder)?;
        let data = folder.join("pg");
        let socket_folder = socket_folder(folder)?;
        make_folder(&data, owner.as_ref())?;
        make_folder(&socket_folder, owner.as_ref())?;
        wait_for_predecessor(&data).await?;
        // `initdb` writes PG_VERSION first of all: it says nothing of how far it came.
        let unfinished = folder.join("pg.unfinished");
        if unfinished.exists() || !data.join("PG_VERSION").exists() {
            super::ground::write_private(&unfinished, b"initdb has not ended\n")?;
            initialise(&binaries, &data, owner.as_ref()).await?;
            std::fs::remove_file(&unfinished).context("cannot say that initdb has ended")?;
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("postgres.log"))?;
        let mut command = as_owner(owner.as_ref(), "INT", &binaries.join("postgres"));
        command
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&socket_folder)
            .args(["-c", "listen_addresses=", "-c", "max_connections=60", "-c", "shared_buffers=64MB"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let postmaster = command.spawn().context("cannot start postgres")?;
        let mut server = Self { postmaster, socket_folder };
        server.wait_until_it_answers(&binaries, folder).await?;
        server.make_database(&binaries).await?;
        Ok(server)
    }

    /// Starts it anew after it was killed. What its children still hold is let go of within moments: tries
    /// until then.
    pub async fn start_again(&mut self, folder: &Path) -> anyhow::Result<()> {
        let end = Instant::now() + START_TIMEOUT;
        loop {
            match Self::start(folder).await {
                Ok(server) => {
                    *self = server;
                    return Ok(());
                }
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
            }
        }
    }

    /// Connection URL of the demo's database, as its owner.
    pub fn url(&self) -> String {
        format!("postgres://loopwright@localhost/loopwright?host={}", self.socket_folder.display())
    }

    pub fn pid(&self) -> Option<u32> {
        self.postmaster.id()
    }

    /// Whether the postmaster has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.postmaster.try_wait(), Ok(None))
    }

    /// Fast shutdown; kills after ten seconds.
    pub async fn stop(mut self) {
        if let Some(pid) = self.postmaster.id() {
            super::supervisor::signal(pid, "INT").await;
        }
        if tokio::time::timeout(Duration::from_secs(10), self.postmaster.wait()).await.is_err() {
            let _ = self.postmaster.kill().await;
        }
    }

    async fn wait_until_it_answers(&mut self, binaries: &Path, folder: &Path) -> anyhow::Result<()> {
        let end = Instant::now() + START_TIMEOUT;
        loop {
            if self.has_ended() {
                let log = std::fs::read_to_string(folder.join("postgres.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(5).collect();
                bail!(
                    "PostgreSQL ended while starting; its last words (postgres.log):\n{}",
                    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
                );
            }
            let ready = Command::new(binaries.join("pg_isready"))
                .arg("-q")
                .arg("-h")
                .arg(&self.socket_folder)
                .status()
                .await?;
            if ready.success() {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("PostgreSQL did not answer within {START_TIMEOUT:?}; see postgres.log");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn make_database(&self, binaries: &Path) -> anyhow::Result<()> {
        let output = Command::new(binaries.join("psql"))
            .arg("-h")
            .arg(&self.socket_folder)
            .args(["-U", "loopwright", "-d", "postgres", "-X", "-A", "-t", "-q", "-c"])
            .arg("select 1 from pg_database where datname = 'loopwright'")
            .output()
            .await?;
        if output.stdout.starts_with(b"1") {
            return Ok(());
        }
        let made = Command::new(binaries.join("createdb"))
            .arg("-h")
            .arg(&self.socket_folder)
            .args(["-U", "loopwright", "loopwright"])
            .output()
            .await?;
        if !made.status.success() {
            bail!("cannot make the database: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(())
    }
}

/// The newest installation's folder that has `postgres` and `initdb`.
fn find_binaries() -> anyhow::Result<PathBuf> {
    let complete = |folder: &Path| folder.join("postgres").exists() && folder.join("initdb").exists();
    if let Some(named) = std::env::var_os("LOOPWRIGHT_PG_BIN").map(PathBuf::from) {
        if complete(&named) {
            return Ok(named);
        }
        bail!("LOOPWRIGHT_PG_BIN={} holds no postgres and initdb", named.display());
    }
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .filter(|(major, folder)| *major >= 15 && complete(folder))
        .collect();
    found.sort();
    if let Some((_, folder)) = found.pop() {
        return Ok(folder);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).find(|folder| complete(folder)).context(
        "no PostgreSQL (15 or newer) found: run `make setup`, or name its bin folder in LOOPWRIGHT_PG_BIN",
    )
}

fn owner_when_root(folder: &Path) -> anyhow::Result<Option<Owner>> {
    // The folder was just made by us, so its owner is who we are.
    if std::fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| {
            let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some(Owner { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
        })
        .map(Some)
        .context("PostgreSQL does not run as root and there is no user `postgres` or `nobody` to run it as")
}

/// `folder/run` when a socket's path fits, else a short folder under the system's temporary one whose
/// name follows from `folder`, so that the next start finds it again.
fn socket_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let here = folder.join("run");
    if here.join(".s.PGSQL.5432").as_os_str().len() <= LONGEST_SOCKET_PATH {
        return Ok(here);
    }
    let name = jobs::Digest::of(folder.as_os_str().as_encoded_bytes()).to_string();
    let short = name.get(..12).context("a digest has 64 digits")?;
    Ok(std::env::temp_dir().join(format!("loopwright-{short}")))
}

fn make_folder(path: &Path, owner: Option<&Owner>) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    let meta = std::fs::symlink_metadata(path)?;
    if !meta.is_dir() {
        bail!("{} is not a folder of ours; remove it", path.display());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    if let Some(owner) = owner {
        std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid))?;
        ensure_traversable(path)?;
    }
    Ok(())
}

fn ensure_traversable(path: &Path) -> anyhow::Result<()> {
    let closed = path
        .ancestors()
        .skip(1)
        .find(|parent| std::fs::metadata(parent).is_ok_and(|meta| meta.mode() & 0o001 == 0));
    match closed {
        None => Ok(()),
        Some(parent) => bail!(
            "PostgreSQL's user cannot pass through {}: choose another folder with --data-dir \
             (for example /var/tmp/loopwright-demo)",
            parent.display()
        ),
    }
}

async fn initialise(binaries: &Path, data: &Path, owner: Option<&Owner>) -> anyhow::Result<()> {
    let mut tries = 1;
    loop {
        match initialise_once(binaries, data, owner).await {
            Err(error) if tries < INITDB_TRIES => {
                tracing::warn!(%error, tries, "initdb failed; what a killed one had started may still write there");
                tries += 1;
                tokio::time::sleep(INITDB_PAUSE).await;
            }
            ended => return ended,
        }
    }
}

async fn initialise_once(binaries: &Path, data: &Path, owner: Option<&Owner>) -> anyhow::Result<()> {
    // A start that was killed in the middle leaves a folder that is not a cluster: begin again.
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
    }
    let output = as_owner(owner, "KILL", &binaries.join("initdb"))
        .arg("-D")
        .arg(data)
        .args(["-U", "loopwright", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"])
        .output()
        .await
        .context("cannot run initdb")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A demo that was killed leaves a postmaster that is shutting down, or what `initdb` had started; two on one
/// folder would refuse. The folder
/// is ours (its lock says so), so that whoever serves from it is asked to end, in case nobody has.
async fn wait_for_predecessor(data: &Path) -> anyhow::Result<()> {
    let end = Instant::now() + START_TIMEOUT;
    if let Some(pid) = live_postmaster(data) {
        super::supervisor::signal(pid, "INT").await;
    }
    while let Some(pid) = live_postmaster(data) {
        if Instant::now() > end {
            bail!(
                "another PostgreSQL (process {pid}) still uses {}: is another demo running on this folder?",
                data.display()
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Whether the database of the demo's `folder` is being served, or made.
pub fn is_at_work(folder: &Path) -> bool {
    live_postmaster(&folder.join("pg")).is_some()
}

/// Who serves from the folder, or writes it for `initdb`: a server works in its folder.
fn live_postmaster(data: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    // With a minus when it is no postmaster.
    let pid: u32 = text.lines().next()?.trim().trim_start_matches('-').parse().ok()?;
    let works_in = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    (works_in == data).then_some(pid)
}

/// `program` as the owner, dying with us by `death_signal`.
fn as_owner(owner: Option<&Owner>, death_signal: &str, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig").arg(death_signal);
    if let Some(owner) = owner {
        let mut user = OsString::from("--reuid=");
        user.push(owner.uid.to_string());
        command.arg(user).arg(format!("--regid={}", owner.gid)).arg("--clear-groups");
    }
    command.arg("--").args(super::supervisor::UNLESS_ORPHANED).arg(std::process::id().to_string());
    command.arg(program).current_dir("/");
    command
}
