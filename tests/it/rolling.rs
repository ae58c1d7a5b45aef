//! A rolling restart under load: three replicas behind a load balancer, each ended and started again in turn while a
//! campaign runs, one of them killed. What really happened is judged by the bench's truth log alone.

mod balancer;

use crate::demo::{assert_accounted, assert_nothing_dispensed_twice};
use balancer::Balancer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use system_tests::laboratory::{Laboratory, binary, finish};

const LIMIT: Duration = Duration::from_secs(300);
/// For one replica to end, or to answer.
const STEP: Duration = Duration::from_secs(60);

/// A port that was free a moment ago.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A process that does not outlive the test.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A replica beside the demo's own, on the same database and blob store.
struct Replica {
    address: SocketAddr,
    process: Running,
}

impl Replica {
    fn start(&mut self, laboratory: &Laboratory) {
        let demo = laboratory.path().join("demo");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(demo.join(format!("logs/replica-{}.log", self.address.port())))
            .unwrap();
        let url = format!("postgres://loopwright@localhost/loopwright?host={}", demo.join("run").display());
        let child = Command::new(binary("loopwright"))
            .args(["serve", "--lease-seconds", "15", "--listen", &self.address.to_string(), "--data-dir"])
            .arg(demo.join("blobs"))
            .env("DATABASE_URL", url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Running(Some(child));
    }

    /// Asks it to end, as a deployment does, and waits until it has.
    fn end(&mut self, laboratory: &Laboratory) {
        let child = self.process.0.as_mut().unwrap();
        signal(child.id(), "TERM");
        let end = Instant::now() + STEP;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "a replica ended with {status}\n{}", laboratory.logs());
                return;
            }
            assert!(Instant::now() < end, "a replica does not end\n{}", laboratory.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(sent.success(), "{name} to {pid}");
}

/// Whether somebody takes connections there.
fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}

struct Scene {
    demo: Running,
    laboratory: Laboratory,
}

impl Scene {
    /// Looks again and again until it is so; the demo must not end meanwhile.
    fn until(&mut self, what: &str, limit: Duration, mut claim: impl FnMut(&Laboratory) -> bool) {
        let end = Instant::now() + limit;
        while !claim(&self.laboratory) {
            let ended = self.demo.0.as_mut().unwrap().try_wait().unwrap();
            let logs = || self.laboratory.logs();
            assert!(ended.is_none() && Instant::now() < end, "waited for {what} ({ended:?})\n{}", logs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// So many transfers were really made.
    fn until_transfers(&mut self, wanted: usize) {
        self.until("transfers", LIMIT, |laboratory| {
            let path = laboratory.path().join("demo/bench/truth.jsonl");
            path.exists()
                && laboratory.truth().iter().filter(|it| it["event"] == "transferred").count() >= wanted
        });
    }

    /// The demo's own replica; the demo starts it again by itself.
    fn kill_the_demos_own(&mut self, address: SocketAddr) {
        let text = std::fs::read_to_string(self.laboratory.path().join("demo/processes.json")).unwrap();
        let pids: BTreeMap<String, u32> = serde_json::from_str(&text).unwrap();
        signal(pids["serve"], "KILL");
        self.until("the killed replica to be gone", STEP, |_| !answers(address));
        self.until("the killed replica to be back", STEP, |_| answers(address));
    }
}

#[test]
fn a_rolling_restart_of_three_replicas_under_load_loses_nothing() {
    let own = free_address();
    let mut replicas =
        [free_address(), free_address()].map(|address| Replica { address, process: Running(None) });
    let balancer = Balancer::before(vec![own, replicas[0].address, replicas[1].address]);
    let port = own.port().to_string();
    let through = format!("http://{}", balancer.address);
    let laboratory = Laboratory::new(&[
        "--rounds",
        "3",
        "--batch",
        "24",
        "--seed",
        "11",
        "--transfer-seconds",
        "0.1",
        "--port",
        &port,
        "--workers-through",
        &through,
    ]);
    let demo = laboratory.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut scene = Scene { demo: Running(Some(demo)), laboratory };
    scene.until("the demo's own replica", STEP * 2, |_| answers(own));
    for replica in &mut replicas {
        replica.start(&scene.laboratory);
        scene.until("a further replica", STEP, |_| answers(replica.address));
    }
    // Three plates of 80 transfers: the first restarts fall into the first dispense, the others into the second, and the
    // third round is left to see that all is well.
    for (turn, transfers) in [5, 25, 85, 105].into_iter().enumerate() {
        scene.until_transfers(transfers);
        let replica = &mut replicas[turn % 2];
        replica.end(&scene.laboratory);
        replica.start(&scene.laboratory);
        scene.until("the replica to be back", STEP, |_| answers(replica.address));
        if turn % 2 == 1 {
            scene.kill_the_demos_own(own);
        }
    }
    let output = finish(scene.demo.0.take().unwrap(), LIMIT);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "the demo failed:\n{words}\n{}", scene.laboratory.logs());
    let last = String::from_utf8_lossy(&output.stdout).lines().last().map(str::to_owned);
    let report: Value = serde_json::from_str(&last.unwrap_or_default()).unwrap();
    assert_accounted(&report, 3, 24);
    assert_nothing_dispensed_twice(&scene.laboratory);
    assert_each_replica_worked(&balancer);
    assert_workers_only_tried_again(&scene.laboratory);
}

fn assert_each_replica_worked(balancer: &Balancer) {
    let carried = balancer.carried();
    // Connections are kept open: a worker that stays with a replica makes few.
    assert!(carried.iter().all(|count| *count >= 3), "connections carried to each replica: {carried:?}");
}

/// Workers wait for a replica that answers; nobody lost the authority over a job, and none of them ended.
fn assert_workers_only_tried_again(laboratory: &Laboratory) {
    for entry in std::fs::read_dir(laboratory.path().join("demo/logs")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("agent-") && !name.starts_with("learner") {
            continue;
        }
        let log = std::fs::read_to_string(entry.path()).unwrap();
        for bad in ["ERROR", "panicked", "authority", "LeaseLost"] {
            assert!(!log.contains(bad), "{name} says {bad}:\n{log}");
        }
    }
}
