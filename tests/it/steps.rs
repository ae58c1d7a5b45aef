//! A new step is listed: transactions of the engine, the queue and the record end through `steps::commit`.

use std::path::{Path, PathBuf};

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

#[test]
fn no_transaction_of_the_loop_or_the_queue_ends_where_nothing_can_be_killed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../orchestrator/src");
    let mut files = Vec::new();
    for folder in ["engine", "queue", "store/jobs", "store/events"] {
        files_below(&source.join(folder), &mut files);
    }
    assert!(files.len() > 40, "the sources were not found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            !text.contains(".commit()"),
            "{}: name the step in orchestrator/src/steps.rs and end it with `steps::commit(tx, Step::..)`",
            file.display()
        );
    }
}
