//! Single processes killed in the middle of a campaign, each by its own process id. What really happened is
//! judged by the bench's truth log alone.

use crate::demo::{assert_accounted, assert_nothing_dispensed_twice};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use system_tests::laboratory::{Laboratory, binary, finish};

const LIMIT: Duration = Duration::from_secs(240);

/// A running demo, watched from outside.
pub struct Scene {
    demo: Running,
    pub laboratory: Laboratory,
}

/// Ended when a test fails, so that nothing outlives it.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Scene {
    fn open(arguments: &[&str]) -> Self {
        Self::on(Laboratory::new(arguments))
    }

    /// In a folder that is there already.
    pub fn on(laboratory: Laboratory) -> Self {
        let demo = Running(Some(laboratory.start()));
        Self { demo, laboratory }
    }

    /// Looks again and again until there is something to see.
    pub fn until<T>(&mut self, what: &str, look: impl Fn(&Laboratory) -> Option<T>) -> T {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(seen) = look(&self.laboratory) {
                return seen;
            }
            let ended = self.demo.0.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < end,
                "waited for {what} ({ended:?})\n{}",
                self.laboratory.logs()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn until_truth(&mut self, what: &str, claim: impl Fn(&[Value]) -> bool) {
        self.until(what, |laboratory| claim(&truth(laboratory)).then_some(()));
    }

    /// Kills the process once it is there.
    fn kill(&mut self, name: &str) {
        let pid = self.until(name, |laboratory| {
            let text = std::fs::read_to_string(laboratory.path().join("demo/processes.json")).ok()?;
            let pids: BTreeMap<String, u32> = serde_json::from_str(&text).ok()?;
            // One that was just killed is listed until somebody has noticed.
            pids.get(name).copied().filter(|pid| is_alive(*pid))
        });
        assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success(), "{name}");
    }

    pub fn finish(mut self) -> (Laboratory, Value) {
        let output = finish(self.demo.0.take().unwrap(), LIMIT);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "the demo failed:\n{words}\n{}", self.laboratory.logs());
        let last = String::from_utf8_lossy(&output.stdout).lines().last().map(str::to_owned);
        let report =
            serde_json::from_str(&last.unwrap_or_else(|| panic!("no JSON at the end:\n{words}"))).unwrap();
        (self.laboratory, report)
    }

    /// Everything is killed at once; what is on the disks stays.
    pub fn cut(mut self) -> Laboratory {
        drop(std::mem::replace(&mut self.demo, Running(None)));
        self.laboratory
    }

    /// The next thing that goes wrong on the bench.
    fn arm(&mut self, fault: &Value) {
        self.until("a bench that takes a fault", |laboratory| {
            let text = std::fs::read_to_string(laboratory.path().join("demo/bench/endpoints.json")).ok()?;
            let endpoints: BTreeMap<String, String> = serde_json::from_str(&text).ok()?;
            let request =
                reqwest::Client::new().post(format!("{}/faults", endpoints.get("control")?)).json(fault);
            let sent = async { request.timeout(Duration::from_secs(5)).send().await };
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(sent).is_ok_and(|answer| answer.status().is_success()).then_some(())
        });
    }

    /// `loopwright` as an operator types it.
    pub fn operator(laboratory: &Laboratory, arguments: &[&str]) -> Option<Value> {
        let record = std::fs::read_to_string(laboratory.path().join("demo/demo.json")).ok()?;
        let record: Value = serde_json::from_str(&record).ok()?;
        let output = Command::new(binary("loopwright"))
            .args(arguments)
            .args(["--json", "--server", &format!("http://127.0.0.1:{}", record["port"]), "--token-file"])
            .arg(laboratory.path().join("demo/tokens/operator"))
            .output()
            .unwrap();
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
    }

    /// The job that waits for a person's word.
    fn doubt(&mut self) -> Value {
        self.until("a job in doubt", |laboratory| {
            let listed = Self::operator(laboratory, &["job", "list", "--state", "in_doubt"])?;
            let id = listed["items"][0]["id"].as_str()?;
            Self::operator(laboratory, &["job", "show", id])
        })
    }

    fn resolve(&mut self, job: &Value, word: &str) {
        let id = job["id"].as_str().unwrap();
        let resolved = Self::operator(
            &self.laboratory,
            &["job", "resolve", id, word, "--reason", "the truth log says so"],
        );
        assert!(resolved.is_some(), "{word} was refused\n{}", self.laboratory.logs());
    }
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

/// Empty before there is a world.
pub fn truth(laboratory: &Laboratory) -> Vec<Value> {
    let path = laboratory.path().join("demo/bench/truth.jsonl");
    if path.exists() { laboratory.truth() } else { Vec::new() }
}

pub fn count(events: &[Value], event: &str) -> usize {
    events.iter().filter(|it| it["event"] == event).count()
}

pub fn transfers_into(events: &[Value], barcode: &Value) -> usize {
    let into =
        |event: &&Value| event["event"] == "transferred" && event["destination"]["barcode"] == *barcode;
    events.iter().filter(into).count()
}

/// 24 experiments in duplicate, and 32 wells of controls.
pub const TRANSFERS: usize = 24 * 2 + 32;

/// By the truth alone: so many plates were read, and each had got all that was planned for it.
pub fn assert_whole_plates_were_read(laboratory: &Laboratory, plates: usize) {
    let truth = truth(laboratory);
    let read: BTreeSet<&str> = truth
        .iter()
        .filter(|it| it["event"] == "plate_read")
        .filter_map(|it| it["barcode"].as_str())
        .collect();
    assert_eq!(read.len(), plates, "{read:?}");
    for barcode in read {
        assert_eq!(transfers_into(&truth, &json!(barcode)), TRANSFERS, "{barcode}");
    }
}

#[test]
fn any_process_may_be_killed_and_nothing_is_lost_or_done_twice() {
    let mut scene =
        Scene::open(&["--rounds", "2", "--batch", "24", "--seed", "7", "--transfer-seconds", "0.02"]);
    scene.kill("learner");
    scene.until_truth("a plate on its way", |truth| count(truth, "plate_moved") >= 1);
    scene.kill("agent-mover-1");
    for (name, transfers) in [("agent-handler-1", 5), ("serve", 20), ("postgres", 40)] {
        scene.until_truth("transfers", |truth| count(truth, "transferred") >= transfers);
        scene.kill(name);
    }
    scene.until_truth("an incubation", |truth| count(truth, "incubated") >= 1);
    scene.kill("agent-incubator-1");
    scene.until_truth("a reading", |truth| count(truth, "plate_read") >= 1);
    scene.kill("agent-reader-1");
    scene.kill("learner");
    scene.until_truth("the second round's incubation", |truth| count(truth, "incubated") >= 2);
    scene.kill("serve");
    let (laboratory, report) = scene.finish();
    assert_accounted(&report, 2, 24);
    assert_nothing_dispensed_twice(&laboratory);
    assert_whole_plates_were_read(&laboratory, 2);
}

#[test]
fn a_power_cut_in_a_dispense_is_settled_by_what_a_person_saw() {
    let mut scene = Scene::open(&["--leave-doubts", "--rounds", "1", "--batch", "24", "--seed", "7"]);

    // In the middle: the plate cannot be used.
    scene.arm(&json!({"kind": "crash", "after_transfers": 10}));
    let half = scene.doubt();
    assert_eq!(half["kind"], "dispense", "{half}");
    let first = half["payload"]["transfers"][0]["destination_barcode"].clone();
    assert_eq!(transfers_into(&truth(&scene.laboratory), &first), 10);
    scene.arm(&json!({"kind": "crash", "after_runs": 1}));
    scene.resolve(&half, "plate-lost");

    // Before anything moved: ordered again.
    let unbegun = scene.doubt();
    let second = unbegun["payload"]["transfers"][0]["destination_barcode"].clone();
    assert_ne!(first, second, "a plate that is lost is made again on another");
    assert_eq!(transfers_into(&truth(&scene.laboratory), &second), 0);
    scene.arm(&json!({"kind": "crash", "after_transfers": TRANSFERS}));
    scene.resolve(&unbegun, "not-done");

    // After the last: nobody was told, but it is done.
    let whole = scene.doubt();
    assert_ne!(whole["id"], unbegun["id"]);
    assert_eq!(transfers_into(&truth(&scene.laboratory), &second), TRANSFERS);
    scene.resolve(&whole, "done");

    let (laboratory, report) = scene.finish();
    assert_accounted(&report, 1, 24);
    assert_nothing_dispensed_twice(&laboratory);
    assert_whole_plates_were_read(&laboratory, 1);
    assert_eq!(transfers_into(&truth(&laboratory), &first), 10, "a lost plate is left alone");
}
