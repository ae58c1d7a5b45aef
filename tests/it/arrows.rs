//! Holds the arrows between the rooms (ARCHITECTURE.md): who may depend on whom, and on what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Names below the dependency tables of a member's manifest, development ones apart.
fn dependencies(member: &str) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = name.to_owned();
        } else if let Some((name, _)) = line.split_once(['.', '=', ' ']) {
            tables.entry(table.clone()).or_default().push(name.trim().to_owned());
        }
    }
    let mut of = |name: &str| tables.remove(name).unwrap_or_default();
    (of("dependencies"), of("dev-dependencies"))
}

const ROOMS: [&str; 5] = ["jobs", "instruments", "bench", "active_learning", "orchestrator"];

#[test]
fn rooms_depend_only_along_the_arrows() {
    let allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("jobs", vec![]),
        ("instruments", vec!["jobs"]),
        ("bench", vec!["instruments"]),
        ("active_learning", vec!["jobs"]),
        ("orchestrator", vec!["instruments", "jobs"]),
    ]);
    for member in ROOMS {
        let (normal, _) = dependencies(member);
        let mut found: Vec<&str> =
            normal.iter().map(String::as_str).filter(|name| ROOMS.contains(name)).collect();
        found.sort_unstable();
        assert_eq!(found, allowed[member], "arrows of {member}");
    }
}

#[test]
fn only_the_learner_knows_torch_and_only_the_orchestrator_knows_sql() {
    for member in ROOMS {
        let (normal, development) = dependencies(member);
        let all: Vec<&String> = normal.iter().chain(&development).collect();
        assert_eq!(all.iter().any(|name| *name == "tch"), member == "active_learning", "torch in {member}");
        assert_eq!(all.iter().any(|name| *name == "sqlx"), member == "orchestrator", "SQL in {member}");
    }
}

#[test]
fn benchmarks_measure_the_service_and_nobody_depends_on_them() {
    let (normal, _) = dependencies("benchmarks");
    let mut found: Vec<&str> =
        normal.iter().map(String::as_str).filter(|name| ROOMS.contains(name)).collect();
    found.sort_unstable();
    assert_eq!(found, ["jobs", "orchestrator"]);
    for member in ROOMS {
        let (normal, development) = dependencies(member);
        assert!(!normal.iter().chain(&development).any(|name| name == "benchmarks"), "{member}");
    }
}
