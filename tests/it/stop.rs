//! Stop all, in real processes: every agent confirms, nothing moves until it is lifted, also when `serve` is killed
//! meanwhile, and the campaign ends as if nothing had happened. The judge is the bench's truth log.

use crate::demo::{assert_accounted, assert_nothing_dispensed_twice};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use system_tests::laboratory::{Laboratory, binary, finish};

const LIMIT: Duration = Duration::from_secs(240);

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

/// `loopwright` as an operator types it; `None` when it was refused, or nobody answers yet.
fn operator(laboratory: &Laboratory, arguments: &[&str]) -> Option<Value> {
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

fn until<T>(laboratory: &Laboratory, what: &str, look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited for {what}\n{}", laboratory.logs());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn transfers(laboratory: &Laboratory) -> usize {
    if !laboratory.path().join("demo/bench/truth.jsonl").exists() {
        return 0;
    }
    laboratory.truth().iter().filter(|event| event["event"] == "transferred").count()
}

fn pid(laboratory: &Laboratory, name: &str) -> Option<u32> {
    let text = std::fs::read_to_string(laboratory.path().join("demo/processes.json")).ok()?;
    let pids: BTreeMap<String, u32> = serde_json::from_str(&text).ok()?;
    pids.get(name).copied()
}

#[test]
fn stop_all_reaches_every_agent_and_holds_over_a_restart() {
    let arguments = ["--rounds", "1", "--batch", "24", "--seed", "7", "--transfer-seconds", "0.05"];
    let laboratory = Laboratory::new(&arguments);
    let mut demo = Running(Some(laboratory.start()));
    until(&laboratory, "a dispense under way", || (transfers(&laboratory) >= 5).then_some(()));

    let ordered = Instant::now();
    let stopped =
        operator(&laboratory, &["stop-all", "--reason", "a smell of smoke", "--wait-seconds", "60"]);
    let stopped = stopped.unwrap_or_else(|| panic!("an agent has not confirmed\n{}", laboratory.logs()));
    println!(
        "from typing stop-all to the last of {} confirmations: {:?}",
        stopped["places"].as_array().map_or(0, Vec::len),
        ordered.elapsed()
    );
    for place in stopped["places"].as_array().unwrap() {
        println!("{}: {} after {} ms", place["place"], place["standing"], place["after_ms"]);
    }
    until(&laboratory, "the device at its safe point", || {
        let now = operator(&laboratory, &["laboratory"])?;
        let places = now["places"].as_array()?;
        places.iter().any(|it| it["place"] == "handler-1" && it["standing"] == "stopped").then_some(())
    });
    println!("until the device stood: {:?}", ordered.elapsed());

    let moved = transfers(&laboratory);
    let serve = pid(&laboratory, "serve").unwrap();
    assert!(Command::new("kill").args(["-KILL", &serve.to_string()]).status().unwrap().success());
    let still = until(&laboratory, "a new serve", || {
        pid(&laboratory, "serve").filter(|now| *now != serve)?;
        operator(&laboratory, &["laboratory"])
    });
    assert_eq!(still["stop"]["reason"], "a smell of smoke", "{still}");
    assert_eq!(transfers(&laboratory), moved, "something moved while the laboratory was stopped");

    operator(&laboratory, &["resume-all", "--reason", "it was toast"]).unwrap();
    let output = finish(demo.0.take().unwrap(), LIMIT);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the demo failed:\n{words}\n{}", laboratory.logs());
    let report = String::from_utf8_lossy(&output.stdout).lines().last().map(str::to_owned).unwrap();
    assert_accounted(&serde_json::from_str(&report).unwrap(), 1, 24);
    assert_nothing_dispensed_twice(&laboratory);
}
