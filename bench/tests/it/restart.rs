//! The world after a restart is what its log says.

use crate::support::{TestBench, load_deck, settings};
use bench::bench::{Bench, Error};
use bench::world::State;
use std::collections::BTreeMap;
use std::io::Write;

/// Where everything stands and what is in every well.
fn picture(state: &State) -> BTreeMap<String, String> {
    let plates = state.plates().map(|plate| {
        let wells: Vec<String> =
            plate.all_contents().map(|(well, contents)| format!("{well}:{contents:?}")).collect();
        (plate.barcode.clone(), format!("{} {}", plate.at, wells.join(" ")))
    });
    plates.chain([("lost".to_owned(), format!("{:?}", state.lost()))]).collect()
}

#[tokio::test]
async fn a_world_opened_again_is_the_same_and_a_torn_line_has_not_happened() {
    let bench = TestBench::start(&["--genes", "20"]).await;
    load_deck(&bench.lab).await;
    bench.lab.dispense(&[("2", "A1", "C3", 1.5), ("2", "A2", "C3", 1.5), ("3", "A1", "C4", 2.0)]).await;
    let before = picture(bench.bench.world().state());
    let seq = bench.bench.world().next_seq();

    let settings = settings(bench.dir.path(), &["--genes", "20"]);
    let again = Bench::open(settings.clone(), || ()).unwrap();
    assert_eq!(picture(again.world().state()), before);
    assert_eq!(again.world().next_seq(), seq + 1, "the restart itself is an entry");
    drop(again);

    let mut log = std::fs::OpenOptions::new().append(true).open(bench.bench.truth_path()).unwrap();
    log.write_all(b"{\"seq\":999,\"at\":\"2026-01-0").unwrap();
    let torn = Bench::open(settings, || ()).unwrap();
    assert_eq!(picture(torn.world().state()), before);
    assert_eq!(torn.world().next_seq(), seq + 2);
}

#[test]
fn another_world_is_not_mistaken_for_this_one() {
    let dir = tempfile::tempdir().unwrap();
    drop(Bench::open(settings(dir.path(), &["--genes", "20"]), || ()).unwrap());
    for other in [["--genes", "21"], ["--seed", "2"], ["--contexts", "D9"], ["--replicate-r", "0.3"]] {
        let mut options = vec!["--genes", "20"];
        if other[0] == "--genes" {
            options.clear();
        }
        options.extend(other);
        let opened = Bench::open(settings(dir.path(), &options), || ());
        assert!(matches!(opened, Err(Error::OtherWorld { .. })), "{other:?}");
    }
    assert!(
        Bench::open(settings(dir.path(), &["--genes", "20", "--speed", "0.5"]), || ()).is_ok(),
        "speed is no law"
    );
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let worlds = ["1", "1", "2"].map(|seed| {
        let dir = tempfile::tempdir().unwrap();
        let bench = Bench::open(settings(dir.path(), &["--genes", "30", "--seed", seed]), || ()).unwrap();
        let genes = bench.specimen.pool();
        genes
            .iter()
            .map(|genes| bench.specimen.response(&bench::specimen::full_doses(genes), "D1").effect)
            .collect::<Vec<_>>()
    });
    assert_eq!(worlds[0], worlds[1]);
    assert_ne!(worlds[0], worlds[2]);
}
