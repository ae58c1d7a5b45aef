//! Real time and laboratory time are never mixed in one comparison; names say which clock.

use std::path::{Path, PathBuf};

fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
}

/// Clauses of SQL: split where one comparison cannot reach into the next.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ',', ';']).flat_map(|line| line.split(" and ")).flat_map(|line| line.split(" or "))
}

fn mixes_clocks(clause: &str) -> bool {
    let clause = clause.to_lowercase();
    let real = clause.replace("lab_now()", "").contains("now()")
        || ["expires_at", "leased_at", "started_at", "created_at", "revoked_at"]
            .iter()
            .any(|name| clause.contains(name));
    let laboratory = clause.contains("lab_at") || clause.contains("lab_now()");
    let compares =
        ["<", ">", "=", " between ", "least(", "greatest("].iter().any(|sign| clause.contains(sign));
    real && laboratory && compares
}

#[test]
fn no_statement_compares_a_laboratory_instant_with_real_time() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    files_below(&root.join("orchestrator/src"), "rs", &mut files);
    files_below(&root.join("migrations"), "sql", &mut files);
    assert!(files.len() > 20, "the sources were not found");
    for file in files {
        // Setting the demo's clock going is the one place where both are named.
        if file.ends_with("demo/bring_up.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for clause in clauses(&text) {
            assert!(!mixes_clocks(clause), "{} mixes the clocks: {clause}", file.display());
        }
    }
}

#[test]
fn the_search_for_mixed_clocks_finds_one() {
    assert!(mixes_clocks("where not_before_lab_at <= now()"));
    assert!(mixes_clocks("expires_at < lab_now()"));
    assert!(!mixes_clocks("where not_before_lab_at <= lab_now()"));
    assert!(!mixes_clocks("where expires_at < now()"));
}
