//! One command runs a campaign end to end, and goes on after a kill.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use system_tests::laboratory::{Laboratory, finish};

const LIMIT: Duration = Duration::from_secs(300);

pub fn assert_accounted(report: &Value, rounds: usize, batch: u64) {
    let listed = report["rounds"].as_array().unwrap();
    assert_eq!(listed.len(), rounds, "{report}");
    for round in listed {
        assert_eq!(round["state"], "closed", "{round}");
        assert_eq!(round["proposed"], batch, "{round}");
        assert_eq!(round["dispensed"], batch, "{round}");
        assert_eq!(round["measured"], batch, "{round}");
        assert_eq!(round["passed_qc"], batch, "{round}");
        assert!(round["model_version"].as_u64().unwrap() >= 1, "{round}");
        assert!(round["expected_hits_for_random"].as_f64().unwrap() > 0.0, "{round}");
        assert!(round["stage_seconds"]["executing"].as_f64().is_some(), "{round}");
    }
}

/// No well of a plate got the same content twice: a plate made again is another barcode.
pub fn assert_nothing_dispensed_twice(laboratory: &Laboratory) {
    let mut times: BTreeMap<(String, String, String), u32> = BTreeMap::new();
    for event in laboratory.truth().iter().filter(|event| event["event"] == "transferred") {
        let text =
            |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        for content in event["delivered"].as_object().into_iter().flat_map(|delivered| delivered.keys()) {
            let key = (text("/destination/barcode"), text("/destination/well"), content.clone());
            *times.entry(key).or_default() += 1;
        }
    }
    assert!(!times.is_empty(), "the truth log holds no dispense");
    let twice: Vec<_> = times.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "dispensed more than once: {twice:?}");
}

#[test]
fn a_campaign_closes_its_loop_without_people() {
    let laboratory = Laboratory::new(&["--rounds", "2", "--batch", "24", "--seed", "7"]);
    let report = laboratory.run(LIMIT);
    assert_accounted(&report, 2, 24);
    assert_nothing_dispensed_twice(&laboratory);
}

#[test]
fn a_demo_killed_again_and_again_ends_as_if_nothing_had_happened() {
    let laboratory = Laboratory::new(&["--rounds", "2", "--batch", "24", "--seed", "7"]);
    // Each life is cut at another place; every one of them comes for sure.
    cut_at_words(&laboratory, "Setting up");
    cut_at_words(&laboratory, "Specimen");
    cut_in_a_dispense(&laboratory);
    cut_at_words(&laboratory, "Round 1: closed");
    let report = laboratory.run(LIMIT);
    assert_accounted(&report, 2, 24);
    assert_nothing_dispensed_twice(&laboratory);
}

/// `initdb` writes its version first of all: that is no sign of a whole cluster.
#[test]
fn a_demo_killed_while_its_database_is_made_makes_it_anew() {
    let laboratory = Laboratory::new(&["--rounds", "1", "--batch", "8", "--seed", "7"]);
    let mut child = laboratory.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + LIMIT;
    while !laboratory.demo().join("pg/PG_VERSION").exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(laboratory.demo().join("pg/PG_VERSION").exists(), "{}", laboratory.logs());
    let report = laboratory.run(LIMIT);
    assert_accounted(&report, 1, 8);
}

/// Lets the demo run until it has said so, and kills it.
fn cut_at_words(laboratory: &Laboratory, words: &str) {
    let mut child = laboratory.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let heard = lines.any(|line| line.is_ok_and(|line| line.contains(words)));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(heard, "never heard {words:?}\n{}", laboratory.logs());
}

/// Lets the demo run until a plate is partly dispensed, and kills it.
fn cut_in_a_dispense(laboratory: &Laboratory) {
    let mut child = laboratory.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + LIMIT;
    let transfers = || laboratory.truth().iter().filter(|event| event["event"] == "transferred").count();
    while transfers() < 20 && child.try_wait().unwrap().is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(transfers() >= 20, "nothing was dispensed\n{}", laboratory.logs());
}

#[test]
fn a_measured_screen_is_replayed_through_the_robots() {
    let data = std::env::var_os("LOOPWRIGHT_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let (screen, features) = (data.join("crispr/ifng.parquet"), data.join("features/gene_features.parquet"));
    if !screen.exists() || !features.exists() {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: a_measured_screen_is_replayed_through_the_robots: no measured screens (LOOPWRIGHT_DATA)"
        );
        return;
    }
    let (screen, features) = (screen.to_str().unwrap(), features.to_str().unwrap());
    let laboratory = Laboratory::new(&[
        "--screen",
        screen,
        "--features",
        features,
        "--rounds",
        "1",
        "--batch",
        "48",
        "--seed",
        "1",
    ]);
    let report = laboratory.run(LIMIT);
    assert_accounted(&report, 1, 48);
    assert_eq!(report["pool"], 18_418);
}

#[test]
fn a_demo_begun_with_other_settings_is_refused_in_words() {
    let laboratory = Laboratory::new(&["--rounds", "0"]);
    let output = finish(laboratory.start(), LIMIT);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--rounds"), "{output:?}");
}
