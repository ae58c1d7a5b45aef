//! PostgreSQL clusters of a test's own, on ports of this machine: started, replicated, killed, lost.

use std::ffi::OsString;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

/// A running server and its folder.
pub struct Cluster {
    pub port: u16,
    data: PathBuf,
    postmaster: Option<Child>,
}

impl Cluster {
    /// A new, durable cluster in `folder`, with an empty database `loopwright`.
    pub fn new(folder: &Path) -> Self {
        make_folder(folder);
        let data = folder.join("data");
        let mut initdb = as_owner(folder, "initdb");
        initdb.arg("-D").arg(&data).args([
            "-U",
            "loopwright",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]);
        succeed(initdb.arg("--no-instructions"));
        let cluster = Self::start(folder, free_port());
        succeed(cluster.tool("createdb").arg("loopwright"));
        cluster
    }

    /// A standby of this cluster in `folder`, which every commit waits for.
    pub fn synchronous_standby(&self, folder: &Path) -> Self {
        make_folder(folder);
        let source = format!("host=127.0.0.1 port={} user=loopwright application_name=standby", self.port);
        let mut copy = as_owner(folder, "pg_basebackup");
        copy.args(["-d", &source, "-R", "-X", "stream", "-c", "fast", "-D"]).arg(folder.join("data"));
        succeed(&mut copy);
        let standby = Self::start(folder, free_port());
        self.ask("alter system set synchronous_standby_names = 'standby'");
        self.ask("select pg_reload_conf()");
        let sync = "select count(*) from pg_stat_replication where sync_state = 'sync'";
        self.until("a synchronous standby", || self.ask(sync) == "1");
        standby
    }

    fn start(folder: &Path, port: u16) -> Self {
        let data = folder.join("data");
        let log = std::fs::File::create(folder.join("postgres.log")).unwrap();
        let mut command = as_owner(folder, "postgres");
        command
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=80"])
            .args(["-c", "unix_socket_directories=", "-c", "shared_buffers=64MB"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let cluster = Self { port, data, postmaster: Some(command.spawn().unwrap()) };
        cluster.until("the server", || cluster.answer("select 1").is_some());
        cluster
    }

    /// As its owner.
    pub fn url(&self) -> String {
        format!("postgres://loopwright@127.0.0.1:{}/loopwright", self.port)
    }

    /// The standby takes over.
    pub fn promote(&self) {
        self.ask("select pg_promote(false)");
        self.until("the promotion", || self.answer("select pg_is_in_recovery()").as_deref() == Some("f"));
    }

    /// The one value that `query` answers.
    pub fn ask(&self, query: &str) -> String {
        self.answer(query).unwrap_or_else(|| panic!("{query} has no answer"))
    }

    fn answer(&self, query: &str) -> Option<String> {
        let output = self.tool("psql").args(["-d", "loopwright", "-XAtqc", query]).output().unwrap();
        let output = if output.status.success() {
            output
        } else {
            self.tool("psql").args(["-d", "postgres", "-XAtqc", query]).output().unwrap()
        };
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(binaries().join(name));
        command.args(["-h", "127.0.0.1", "-U", "loopwright", "-p", &self.port.to_string()]);
        command.stdin(Stdio::null());
        command
    }

    /// SIGKILL to every process of it, as a power cut.
    pub fn kill(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        let pids: Vec<String> = std::iter::once(postmaster.id())
            .chain(children(postmaster.id()))
            .map(|pid| pid.to_string())
            .collect();
        Command::new("kill").arg("-KILL").args(&pids).stderr(Stdio::null()).status().unwrap();
        postmaster.wait().unwrap();
        for pid in pids {
            let stat = format!("/proc/{pid}/stat");
            let is_over = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z"));
            self.until("the end of its processes", is_over);
        }
    }

    /// Killed, and its folder is gone.
    pub fn lose(mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.data).unwrap();
    }

    fn until(&self, what: &str, claim: impl Fn() -> bool) {
        let end = Instant::now() + LIMIT;
        while !claim() {
            let log = self.data.parent().unwrap().join("postgres.log");
            let log = std::fs::read_to_string(log).unwrap_or_default();
            assert!(Instant::now() < end, "waited for {what}\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let stat_of = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = stat_of(*pid);
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        after_name.split(' ').nth(1).is_some_and(|of| of == parent.to_string())
    })
    .collect()
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn binaries() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres-bin");
    let output = Command::new(script).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whoever a server may run as: PostgreSQL refuses to run as root.
fn owner() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    ["postgres", "nobody"].iter().find_map(|name| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

fn make_folder(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    if let Some((uid, gid)) = owner() {
        chown(folder, Some(uid), Some(gid)).unwrap();
    }
}

/// A program of PostgreSQL, as its owner, dying with the test.
fn as_owner(folder: &Path, program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some((uid, gid)) = owner() {
        let mut user = OsString::from("--reuid=");
        user.push(uid.to_string());
        command.arg(user).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.arg("--").arg(binaries().join(program)).current_dir(folder);
    command
}
